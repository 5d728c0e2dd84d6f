//! Places for deliveries beside the first one of each endpoint, so shared that whoever is slow leaves some to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ryggrad_norway::OrgNumber;

/// The places of a process. Cheap to clone; clones share them.
///
/// An organisation gets one more only while more are free than it has already, with all its endpoints together: alone it takes
/// half of them at the most, and n organisations that are slow leave one part in n + 1 free. Whoever comes next finds some.
#[derive(Debug, Clone)]
pub(crate) struct Extras(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    free: usize,
    /// Those that somebody has, by whose endpoints they are for.
    by: HashMap<OrgNumber, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Extra {
    extras: Extras,
    organisation: OrgNumber,
}

// === impl Extras ===

impl Extras {
    pub(crate) fn new(number: usize) -> Self {
        Self(Arc::new(Mutex::new(Taken {
            free: number,
            by: HashMap::new(),
        })))
    }

    /// A place for a delivery of an organisation that runs endpoints, if it may have one more.
    pub(super) fn take(&self, organisation: OrgNumber) -> Option<Extra> {
        let mut taken = self.lock();
        let has = taken.by.get(&organisation).copied().unwrap_or_default();
        if has >= taken.free {
            return None;
        }
        taken.free -= 1;
        taken.by.insert(organisation, has + 1);
        Some(Extra {
            extras: self.clone(),
            organisation,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Extra {
    fn drop(&mut self) {
        let mut taken = self.extras.lock();
        taken.free += 1;
        if let Some(has) = taken.by.get_mut(&self.organisation) {
            *has -= 1;
            if *has == 0 {
                taken.by.remove(&self.organisation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_all_it_can_leaves_as_many_to_others_and_all_come_back() {
        let extras = Extras::new(12);
        let all = |number: &str| {
            let organisation = OrgNumber::parse(number).unwrap();
            std::iter::from_fn(|| extras.take(organisation)).collect::<Vec<_>>()
        };
        let (first, second, third) = (all("399000203"), all("399000300"), all("310028843"));
        assert_eq!((first.len(), second.len(), third.len()), (6, 3, 2));
        assert_eq!(extras.lock().free, 1);
        drop(first);
        assert_eq!(
            all("310028843").len(),
            3,
            "beside the two that it has: then five, and four are free"
        );
        drop((second, third));
        let taken = extras.lock();
        assert_eq!((taken.free, taken.by.len()), (12, 0));
    }
}
