//! What is known of each device.

use super::Device;

/// Something for each of many devices, found in a time that does not depend on how many there are.
///
/// Shape: the devices in the order in which they came, and a table of places among them, half of it free. Nothing that
/// can be observed depends on the table: [`Devices::iter`] goes by the order of the devices.
#[derive(Clone, Debug)]
pub struct Devices<T> {
    all: Vec<Entry<T>>,
    /// By hash: a place among all, counted from 1, or nothing.
    table: Vec<u32>,
    /// The device that was changed last: what is asked for next is nearly always about it.
    recent: usize,
}

/// A device and what is known of it, from the beginning of a cache line on: of many devices each is far away.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Entry<T> {
    device: Device,
    known: T,
}

impl<T> Default for Devices<T> {
    fn default() -> Self {
        Self { all: Vec::new(), table: Vec::new(), recent: 0 }
    }
}

impl<T> Devices<T> {
    /// What is known of a device.
    pub fn get(&self, device: &Device) -> Option<&T> {
        let place = self.place_of(device).ok()?;
        self.all.get(place).map(|entry| &entry.known)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, device: &Device) -> Option<&mut T> {
        let place = self.place_of(device).ok()?;
        self.recent = place;
        self.all.get_mut(place).map(|entry| &mut entry.known)
    }

    /// What is known of a device, which is `fresh` if nothing was.
    pub fn or_insert_with(&mut self, device: &Device, fresh: impl FnOnce() -> T) -> &mut T {
        let place = self.place_of(device).unwrap_or_else(|_| {
            self.all.push(Entry { device: device.clone(), known: fresh() });
            self.index();
            self.all.len() - 1
        });
        self.recent = place;
        &mut self.all[place].known
    }

    /// Everything that is known, in the order of the devices.
    pub fn iter(&self) -> impl Iterator<Item = (&Device, &T)> {
        let mut order: Vec<&Entry<T>> = self.all.iter().collect();
        order.sort_by(|one, other| one.device.cmp(&other.device));
        order.into_iter().map(|Entry { device, known }| (device, known))
    }

    /// Where a device is among all; else the free place for it in the table.
    fn place_of(&self, device: &Device) -> Result<usize, usize> {
        if self.all.get(self.recent).is_some_and(|recent| recent.device == *device) {
            return Ok(self.recent);
        }
        self.look_up(device)
    }

    fn look_up(&self, device: &Device) -> Result<usize, usize> {
        let mut at = hash(device);
        loop {
            // The table's length is nothing or a power of two.
            at &= self.table.len().wrapping_sub(1);
            match self.table.get(at) {
                None | Some(0) => return Err(at),
                Some(place) => {
                    let place = *place as usize - 1;
                    if self.all[place].device == *device {
                        return Ok(place);
                    }
                }
            }
            at += 1;
        }
    }

    /// Puts the last device into the table, in a larger one if half of it is in use.
    fn index(&mut self) {
        let fresh = if self.all.len() * 2 > self.table.len() {
            self.table = vec![0; (self.all.len() * 4).next_power_of_two()];
            0
        } else {
            self.all.len() - 1
        };
        for place in fresh..self.all.len() {
            if let Err(at) = self.look_up(&self.all[place].device) {
                self.table[at] = u32::try_from(place + 1).unwrap_or(u32::MAX);
            }
        }
    }
}

fn hash(device: &Device) -> usize {
    let spread = match device {
        Device::Machine(machine) => u64::from(machine.get()),
        Device::Serial(serial) => serial.spread(),
    };
    usize::try_from(spread.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pos::frame::MachineNumber;
    use std::collections::BTreeMap;

    #[test]
    fn many_devices_are_found_and_kept_in_order() {
        let device = |number: u32| match number % 3 {
            0 => Device::Machine(MachineNumber::new(number)),
            1 => Device::Serial(number.to_string().into_bytes().into()),
            _ => Device::Serial(format!("a serial of more bytes than most {number}").into_bytes().into()),
        };
        let (mut devices, mut plain) = (Devices::default(), BTreeMap::new());
        assert_eq!(devices.get(&device(0)), None);
        for number in (0..3_000).chain(1_000..2_000) {
            *devices.or_insert_with(&device(number), || 0) += number;
            *plain.entry(device(number)).or_insert(0) += number;
        }
        assert!(devices.iter().eq(plain.iter()));
        assert_eq!(devices.get_mut(&device(1_500)).copied(), Some(3_000));
        assert_eq!(devices.get(&device(3_000)), None);
    }
}
