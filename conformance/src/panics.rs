//! Panics of the suite's own making: caught, with their message and place, and never lost or mistaken for a verdict.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics off the terminal: each is told where it is caught.
pub fn quiet() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let text = format!("{}{place}", message(info.payload()));
        LAST.with(|last| *last.borrow_mut() = Some(text));
    }));
}

/// What a piece of work comes to, or the message of its panic, with the place if [`quiet`] has been called.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let told = LAST.with(|last| last.borrow_mut().take());
        told.unwrap_or_else(|| message(&*payload))
    })
}

fn message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 3), Ok(3));
        let told = caught(|| panic!("strike {}", 7)).unwrap_err();
        assert!(told.starts_with("strike 7"), "{told}");
    }
}
