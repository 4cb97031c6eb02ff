//! What a rig can show of a case and what it cannot, and whether a case says anything about its real parties.

use assay_hil::rig::{Body, Power, RealSeat, System};
use assay_sim::fault::{Fault, FaultPlan, Mishap, Strike};

use super::{RigBench, on_bench};
use crate::requirement::{self, Boundary};
use crate::system::Suited;
use crate::trial::Ready;

impl RigBench {
    pub(super) fn lacks(&self, id: &str) -> Option<String> {
        let requirement = requirement::by_id(id).filter(|_| self.is_real())?;
        let seat = |name: &str| self.rig.real_seats().find(|(real, _)| *real == name).map(|(_, seat)| seat);
        let (terminal, server, client) = (seat(self.rig.system.terminal()), seat("server"), seat("client"));
        let lack = |boundary: &Boundary| match boundary {
            Boundary::Ledger if server.is_some_and(|seat| seat.observe.is_none()) => Some(
                "the server's ledger: name a command or a file in `observe` of `[seat.server]`".to_owned(),
            ),
            Boundary::Ledger if client.is_some_and(|seat| seat.observe.is_none()) => Some(
                "the client's books: name a command or a file in `observe` of `[seat.client]`".to_owned(),
            ),
            Boundary::Platform | Boundary::Payments
                if server.is_some() && !self.carries("lan") && !self.carries("pay") =>
            {
                Some("what stands behind the server: write a table `[link.lan]`".to_owned())
            }
            Boundary::Flash | Boundary::Eeprom if terminal.is_some() => {
                Some("the content of the terminal's memory, which no rig can show".to_owned())
            }
            Boundary::Panel | Boundary::Card if terminal.is_some_and(|seat| seat.text_port.is_none()) => {
                Some("what people do and are told: a `text_port` in `[seat.terminal]`".to_owned())
            }
            Boundary::Pins
                if self.rig.system == System::Paymod
                    && terminal.is_some_and(|seat| seat.text_port.is_none()) =>
            {
                Some("what the relays do: a `text_port` in `[seat.module]`".to_owned())
            }
            Boundary::Power if self.rig.real_seats().any(|(_, seat)| seat.power == Power::Absent) => {
                Some("power that can be cut: name a switch in `power` of the real party's seat".to_owned())
            }
            _ => None,
        };
        let lacks: Vec<String> = requirement.sees.iter().filter_map(lack).collect();
        (!lacks.is_empty()).then(|| format!("{id} was not judged; it needs {}", lacks.join(", and ")))
    }

    /// The supplies of the parts that a real terminal does not ask whether they are there.
    pub(super) fn unheard(&self) -> Vec<String> {
        let Some(terminal) = self.rig.real_seats().find(|(name, _)| *name == "terminal") else {
            return Vec::new();
        };
        if !self.rig.system.has_parts() || terminal.1.self_test {
            return Vec::new();
        }
        let parts = ["voice", "display"].into_iter();
        let deaf = parts.filter(|part| !self.carries_link(&format!("{part}-line-a")));
        deaf.map(|part| format!("{part}-a")).collect()
    }

    /// Why a case would say nothing about the real party, whatever that does.
    pub(super) fn unfit<F: Suited>(&self, ready: &Ready<F>, plan: &FaultPlan) -> Option<String> {
        let unheard = self.unheard();
        let struck = plan.strikes.iter().find_map(|strike| match &strike.fault {
            Fault::Mishap(Mishap::PowerCut { supply, .. }) => Some(supply).filter(|it| unheard.contains(it)),
            _ => None,
        });
        if let Some(supply) = struck {
            return Some(not_asked(supply));
        }
        let real = |place: &str| self.rig.real_seats().any(|(name, _)| on_bench(name) == place);
        let inside = |strike: &&Strike| strike.site.way.is_none() && real(&strike.site.place);
        if let Some(strike) = plan.strikes.iter().find(inside) {
            return Some(format!(
                "planned and not struck, as a real party's inside is out of reach: {strike}"
            ));
        }
        let needs: toml::Table = F::needs(&ready.script.setup).parse().ok()?;
        self.rig.real_seats().find_map(|(name, seat)| {
            let other = needs.iter().find(|(section, value)| {
                self.is_own(name, seat, section) && self.rig.profile.set.get(*section) != Some(*value)
            });
            let (section, value) = other?;
            let words = toml::Table::from_iter([(section.clone(), value.clone())]).to_string();
            let words = words.trim_end().replace("\n", ", ");
            Some(format!(
                "the case needs a `{name}` of another build: {words}; a build with it that is declared in \
                 `[profile.set]` would make it conclusive"
            ))
        })
    }

    /// Whether a section of the profile says what a real party itself is, so that no rig can change it.
    fn is_own(&self, name: &str, seat: &RealSeat, section: &str) -> bool {
        let water = self.rig.system.has_parts();
        match (name, section) {
            // A real party goes by the time of day.
            (_, "bench") => true,
            (_, "frame") => true,
            ("server", "server") => true,
            ("client", "client" | "journal") => true,
            ("terminal", "terminal" | "store" | "flash" | "clock" | "eeprom" | "host") => true,
            // A process is told what was installed, if it looks.
            ("terminal", "install") if water => match &seat.body {
                Body::Process(process) => !process.command.iter().any(|word| word.contains("{dir}")),
                Body::Device => true,
            },
            ("modem", "modem") => true,
            ("module", "module" | "store" | "flash" | "client") => true,
            ("server", "journal") => true,
            _ => false,
        }
    }
}

pub(super) fn not_asked(supply: &str) -> String {
    format!(
        "the case takes the power of `{supply}`, and the terminal has not said that it asks over its text port whether \
         that part is there: `self_test = true` in `text_port` would make it conclusive"
    )
}
