//! Serial ports of this computer: how each is found, set up and paced.

use std::path::{Path, PathBuf};

use assay_sim::time::Span;
use thiserror::Error;
use tokio_serial::{
    SerialPort as _, SerialPortBuilderExt as _, SerialPortInfo, SerialPortType, SerialStream, UsbPortInfo,
};

pub use tokio_serial::{DataBits, FlowControl as Flow, Parity, StopBits};

/// A serial port and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialSettings {
    /// Which port.
    pub find: Find,
    /// The speed.
    ///
    /// Units: bits a second.
    pub baud: u32,
    /// How many bits a byte has.
    pub data_bits: DataBits,
    /// The check bit.
    pub parity: Parity,
    /// How many stop bits follow.
    pub stop_bits: StopBits,
    /// Who may hold the other end back, and how.
    pub flow: Flow,
    /// The pause after each byte that is written.
    pub byte_gap: Span,
    /// The pause after each burst that is written.
    pub burst_gap: Span,
    /// Whether other programs are kept from opening the port.
    pub exclusive: bool,
}

/// How a port is found.
///
/// Why: devices are given new numbers when their power is cut, so a port is looked for anew each time it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Find {
    /// By its path.
    Path(PathBuf),
    /// By what its USB device says of itself.
    Usb {
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
        /// The serial number, where several are alike.
        serial: Option<String>,
    },
}

/// A port that could not be had as wished.
#[derive(Debug, Error)]
pub enum SerialError {
    /// The ports of this computer cannot be listed.
    #[error("the serial ports of this computer could not be listed: {0}")]
    List(tokio_serial::Error),
    /// No port is of this device.
    #[error(
        "no serial port belongs to the USB device {vendor:04x}:{product:04x}{}; `assay ports` shows those there are",
        with_serial(serial.as_deref())
    )]
    NoDevice {
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
        /// The serial number.
        serial: Option<String>,
    },
    /// Several are.
    #[error(
        "{count} serial ports belong to USB devices {vendor:04x}:{product:04x}: say which by its `serial`, or by a \
         path in /dev/serial/by-id"
    )]
    Several {
        /// How many.
        count: usize,
        /// The vendor's number.
        vendor: u16,
        /// The product's number.
        product: u16,
    },
    /// It cannot be opened with these settings.
    #[error("{path} could not be opened: {source}")]
    Open {
        /// The port.
        path: String,
        /// Why.
        source: tokio_serial::Error,
    },
    /// The lock could not be had.
    #[error("{path} could not be locked: {source}")]
    Lock {
        /// The port.
        path: String,
        /// Why.
        source: tokio_serial::Error,
    },
}

fn with_serial(serial: Option<&str>) -> String {
    serial.map(|serial| format!(" with the serial number `{}`", serial.escape_debug())).unwrap_or_default()
}

impl SerialSettings {
    /// The port of this path with eight data bits, no parity, one stop bit and no flow control, unpaced and unlocked.
    pub fn plain(path: &Path, baud: u32) -> Self {
        Self {
            find: Find::Path(path.to_owned()),
            baud,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
            flow: Flow::None,
            byte_gap: Span::ZERO,
            burst_gap: Span::ZERO,
            exclusive: false,
        }
    }

    /// Opens the port. It has to be called within a tokio runtime.
    ///
    /// Errors: [`SerialError`].
    pub fn open(&self) -> Result<SerialStream, SerialError> {
        let path = self.find.path()?;
        let builder = tokio_serial::new(&path, self.baud)
            .data_bits(self.data_bits)
            .parity(self.parity)
            .stop_bits(self.stop_bits)
            .flow_control(self.flow)
            .exclusive(self.exclusive);
        let opened = builder.open_native_async();
        let mut port = opened.map_err(|source| SerialError::Open { path: path.clone(), source })?;
        lock(&mut port, self.exclusive).map_err(|source| SerialError::Lock { path: path.clone(), source })?;
        // What lay in the buffers belongs to whoever had the port before.
        let cleared = port.clear(tokio_serial::ClearBuffer::All);
        cleared.map_err(|source| SerialError::Open { path, source })?;
        Ok(port)
    }
}

#[cfg(unix)]
fn lock(port: &mut SerialStream, exclusive: bool) -> tokio_serial::Result<()> {
    port.set_exclusive(exclusive)
}

/// Other systems open a port for one program at a time.
#[cfg(not(unix))]
fn lock(_: &mut SerialStream, _: bool) -> tokio_serial::Result<()> {
    Ok(())
}

impl Find {
    /// The path of the port as it is now.
    ///
    /// Errors: [`SerialError`].
    pub fn path(&self) -> Result<String, SerialError> {
        match self {
            Self::Path(path) => Ok(path.display().to_string()),
            Self::Usb { .. } => self.path_among(&tokio_serial::available_ports().map_err(SerialError::List)?),
        }
    }

    /// The path of the port where the computer has these.
    fn path_among(&self, ports: &[SerialPortInfo]) -> Result<String, SerialError> {
        match self {
            Self::Path(path) => Ok(path.display().to_string()),
            Self::Usb { vendor, product, serial } => pick(ports, *vendor, *product, serial.as_deref()),
        }
    }
}

/// The path of the one port that belongs to a device.
fn pick(
    ports: &[SerialPortInfo],
    vendor: u16,
    product: u16,
    serial: Option<&str>,
) -> Result<String, SerialError> {
    let fits = |usb: &UsbPortInfo| {
        usb.vid == vendor
            && usb.pid == product
            && serial.is_none_or(|serial| usb.serial_number.as_deref() == Some(serial))
    };
    let fit: Vec<&SerialPortInfo> = ports
        .iter()
        .filter(|port| matches!(&port.port_type, SerialPortType::UsbPort(usb) if fits(usb)))
        .collect();
    match fit[..] {
        [port] => Ok(port.port_name.clone()),
        [] => Err(SerialError::NoDevice { vendor, product, serial: serial.map(str::to_owned) }),
        _ => Err(SerialError::Several { count: fit.len(), vendor, product }),
    }
}

/// One line for each serial port of this computer, with its USB identity and the path that stays the same.
///
/// Errors: [`SerialError::List`].
pub fn render_ports() -> Result<Vec<String>, SerialError> {
    let ports = tokio_serial::available_ports().map_err(SerialError::List)?;
    Ok(ports.iter().map(|port| render_port(port, by_id(&port.port_name).as_deref())).collect())
}

fn render_port(port: &SerialPortInfo, by_id: Option<&Path>) -> String {
    let mut line = port.port_name.clone();
    if let SerialPortType::UsbPort(usb) = &port.port_type {
        line += &format!("  usb {:04x}:{:04x}", usb.vid, usb.pid);
        let texts = [("serial", &usb.serial_number), ("by", &usb.manufacturer), ("is", &usb.product)];
        for (name, text) in texts {
            if let Some(text) = text {
                line += &format!("  {name} \"{}\"", text.escape_debug());
            }
        }
    }
    if let Some(path) = by_id {
        line += &format!("  {}", path.display());
    }
    line
}

/// The path in `/dev/serial/by-id` that leads to a port.
fn by_id(port: &str) -> Option<PathBuf> {
    let real = Path::new(port).canonicalize().ok()?;
    let mut links: Vec<PathBuf> =
        std::fs::read_dir("/dev/serial/by-id").ok()?.flatten().map(|entry| entry.path()).collect();
    links.sort();
    links.into_iter().find(|link| link.canonicalize().is_ok_and(|target| target == real))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usb(name: &str, serial: &str) -> SerialPortInfo {
        let info = UsbPortInfo {
            vid: 0x1a86,
            pid: 0x7523,
            serial_number: Some(serial.to_owned()),
            manufacturer: Some("QinHeng\u{1b}".to_owned()),
            product: None,
        };
        SerialPortInfo { port_name: name.to_owned(), port_type: SerialPortType::UsbPort(info) }
    }

    #[test]
    fn a_usb_device_is_found_whatever_its_number_and_only_if_it_is_the_only_one() {
        let plain = SerialPortInfo { port_name: "/dev/ttyS0".to_owned(), port_type: SerialPortType::Unknown };
        let ports = [plain, usb("/dev/ttyUSB3", "A1"), usb("/dev/ttyUSB0", "B2")];
        assert_eq!(pick(&ports, 0x1a86, 0x7523, Some("A1")).unwrap(), "/dev/ttyUSB3");
        assert_eq!(pick(&ports[..2], 0x1a86, 0x7523, None).unwrap(), "/dev/ttyUSB3");
        let error = |serial| pick(&ports, 0x1a86, 0x7523, serial).unwrap_err().to_string();
        assert!(error(None).starts_with("2 serial ports belong to USB devices 1a86:7523: "));
        let none = "no serial port belongs to the USB device 1a86:7523 with the serial number `C3`; ";
        assert!(error(Some("C3")).starts_with(none));
        assert!(pick(&ports, 0x1a86, 0x5523, None).is_err());
    }

    #[test]
    fn a_device_that_is_given_another_number_while_its_power_is_cut_is_found_again() {
        let find = Find::Usb { vendor: 0x1a86, product: 0x7523, serial: Some("A1".to_owned()) };
        let path = |ports: &[SerialPortInfo]| find.path_among(ports).ok();
        assert_eq!(path(&[usb("/dev/ttyUSB0", "A1"), usb("/dev/ttyUSB1", "B2")]).unwrap(), "/dev/ttyUSB0");
        assert_eq!(path(&[usb("/dev/ttyUSB1", "B2")]), None);
        // Its old number has gone to a device of the same make.
        assert_eq!(path(&[usb("/dev/ttyUSB0", "B2"), usb("/dev/ttyUSB2", "A1")]).unwrap(), "/dev/ttyUSB2");
    }

    #[test]
    fn a_port_is_listed_with_its_identity_and_without_what_a_device_slips_in() {
        let line = render_port(&usb("/dev/ttyUSB3", "A1"), Some(Path::new("/dev/serial/by-id/x")));
        let expected = r#"/dev/ttyUSB3  usb 1a86:7523  serial "A1"  by "QinHeng\u{1b}"  /dev/serial/by-id/x"#;
        assert_eq!(line, expected);
    }
}
