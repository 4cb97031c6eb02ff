//! The commands that every dialect has: the serial line, SIM, signal, registration, packet service.

use crate::machine::Close;
use crate::modem::core::Core;
use crate::modem::dialect::Verdict;
use crate::modem::line::{Command, Form};
use crate::modem::reply::{ErrorStyle, Final, ReplyForm};

/// Carries out a command that is not the dialect's own.
pub(super) fn execute(core: &mut Core, command: &Command<'_>) -> Verdict {
    match command.name {
        b"" => Verdict::Done,
        b"E" => switch(command, |on| core.echo = on),
        b"V" => switch(command, |on| core.form.words = on),
        b"Z" | b"&F" => {
            core.form = ReplyForm::default();
            core.echo = true;
            Verdict::Done
        }
        b"&W" => Verdict::Done,
        b"I" => {
            let identity = core.config.identity.clone();
            core.info(identity.as_bytes());
            Verdict::Done
        }
        b"O" => match &core.suspended {
            Some(escape) => Verdict::Online { id: escape.id() },
            None => Verdict::Failed(Final::NOT_ALLOWED),
        },
        b"+CMEE" => errors(core, command),
        b"+CPIN" if command.form == Form::Read => {
            if !core.radio.sim {
                return Verdict::Failed(Final::NO_SIM);
            }
            core.info(b"+CPIN: READY");
            Verdict::Done
        }
        b"+CSQ" if command.form == Form::Execute => {
            let line = format!("+CSQ: {},{}", core.radio.rssi, core.radio.ber);
            core.info(line.as_bytes());
            Verdict::Done
        }
        b"+CREG" => registration(core, command, "+CREG"),
        b"+CGREG" => registration(core, command, "+CGREG"),
        b"+CGATT" => attach(core, command),
        b"+CGDCONT" => context(core, command),
        b"+CGACT" => activate(core, command),
        _ => Verdict::Unknown,
    }
}

/// A basic command with 0 or 1; nothing means 0.
fn switch(command: &Command<'_>, set: impl FnOnce(bool)) -> Verdict {
    match command.form {
        Form::Execute | Form::Set(b"0") => set(false),
        Form::Set(b"1") => set(true),
        _ => return Verdict::Failed(Final::Error),
    }
    Verdict::Done
}

fn errors(core: &mut Core, command: &Command<'_>) -> Verdict {
    match (command.form, command.choice(2)) {
        (Form::Read, _) => {
            let line = format!("+CMEE: {}", core.form.errors as u8);
            core.info(line.as_bytes());
        }
        (Form::Test, _) => core.info(b"+CMEE: (0-2)"),
        (Form::Set(_), Some(0)) => core.form.errors = ErrorStyle::Plain,
        (Form::Set(_), Some(1)) => core.form.errors = ErrorStyle::Numeric,
        (Form::Set(_), Some(2)) => core.form.errors = ErrorStyle::Verbose,
        _ => return Verdict::Failed(Final::INVALID),
    }
    Verdict::Done
}

/// Registration in circuit and packet service, which go together here; only `+CREG` can be told to report changes.
fn registration(core: &mut Core, command: &Command<'_>, name: &str) -> Verdict {
    match (command.form, command.choice(2)) {
        (Form::Read, _) => {
            let says = u8::from(core.radio.says_changes && name == "+CREG");
            let stat = if core.radio.sim { core.radio.stat } else { 0 };
            let line = format!("{name}: {says},{stat}");
            core.info(line.as_bytes());
        }
        (Form::Test, _) => core.info(format!("{name}: (0-1)").as_bytes()),
        (Form::Set(_), Some(choice)) if choice <= 1 => {
            if name == "+CREG" {
                core.radio.says_changes = choice == 1;
            }
        }
        _ => return Verdict::Failed(Final::INVALID),
    }
    Verdict::Done
}

fn attach(core: &mut Core, command: &Command<'_>) -> Verdict {
    match (command.form, command.choice(1)) {
        (Form::Read, _) => {
            let line = format!("+CGATT: {}", u8::from(core.radio.attached));
            core.info(line.as_bytes());
        }
        (Form::Test, _) => core.info(b"+CGATT: (0,1)"),
        (Form::Set(_), Some(1)) if !core.radio.is_registered() => return Verdict::Failed(Final::NO_SERVICE),
        (Form::Set(_), Some(1)) => core.radio.attached = true,
        (Form::Set(_), Some(0)) => {
            deactivate(core);
            core.radio.attached = false;
        }
        _ => return Verdict::Failed(Final::INVALID),
    }
    Verdict::Done
}

fn context(core: &mut Core, command: &Command<'_>) -> Verdict {
    match command.form {
        Form::Read => {
            if !core.radio.context.is_empty() {
                let line = [b"+CGDCONT: ".as_slice(), &core.radio.context].concat();
                core.info(&line);
            }
        }
        Form::Set(text) => {
            let mut values = command.values();
            if values.next() != Some(b"1") || values.next() != Some(b"IP") || values.next().is_none() {
                return Verdict::Failed(Final::INVALID);
            }
            core.radio.context.clear();
            core.radio.context.extend_from_slice(text);
        }
        _ => return Verdict::Failed(Final::Error),
    }
    Verdict::Done
}

fn activate(core: &mut Core, command: &Command<'_>) -> Verdict {
    match (command.form, command.numbers()) {
        (Form::Read, _) => {
            let line = format!("+CGACT: 1,{}", u8::from(core.radio.active));
            core.info(line.as_bytes());
        }
        (Form::Set(_), Some([1, 1])) if !core.radio.attached => return Verdict::Failed(Final::NOT_ATTACHED),
        (Form::Set(_), Some([1, 1])) => core.radio.active = true,
        (Form::Set(_), Some([0, 1])) => deactivate(core),
        _ => return Verdict::Failed(Final::INVALID),
    }
    Verdict::Done
}

fn deactivate(core: &mut Core) {
    core.close_all(Close::Fin);
    core.leave_online();
    core.radio.active = false;
}
