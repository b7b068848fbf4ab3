//! The disk itself: what survives a power cut, and what its faults do.
#![allow(clippy::unwrap_used)]
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempest_disk::{DiskFaults, DiskOptions, Ratio, SimDisk};
use tempest_store::file_system::FileSystem;

fn disk(seed: u8) -> SimDisk {
    SimDisk::new([seed; 32], DiskOptions::default())
}

fn path() -> &'static Path {
    Path::new("/data/file")
}

fn written(disk: &SimDisk, text: &[u8]) -> Box<dyn redb::StorageBackend> {
    let file = disk.open_or_create(path()).unwrap();
    file.write(0, text).unwrap();
    file
}

fn content(disk: &SimDisk) -> Option<Vec<u8>> {
    let file = disk.open(path()).ok()?;
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read(0, &mut bytes).unwrap();
    Some(bytes)
}

#[test]
fn what_was_synced_survives_and_the_rest_may() {
    let (mut whole, mut lost, mut torn) = (0, 0, 0);
    for seed in 0..100 {
        let disk = disk(seed);
        let file = written(&disk, &[1; 2048]);
        file.sync_data().unwrap();
        disk.sync_directory(Path::new("/data")).unwrap();
        file.write(0, &[2; 2048]).unwrap();
        disk.cut_power();
        assert!(file.read(0, &mut [0]).is_err());
        disk.restore_power();
        assert!(file.write(0, &[3]).is_err(), "a file opened before the cut is dead");
        let content = content(&disk).unwrap();
        for sector in content.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
        }
        match content.iter().filter(|byte| **byte == 2).count() {
            0 => lost += 1,
            2048 => whole += 1,
            _ => torn += 1,
        }
    }
    assert!(whole > 0 && lost > 0 && torn > 0, "{whole} {lost} {torn}");
}

#[test]
fn a_name_survives_once_its_directory_was_synced() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..50 {
        let disk = disk(seed);
        written(&disk, b"x").sync_data().unwrap();
        disk.cut_power();
        disk.restore_power();
        *(if content(&disk).is_some() { &mut kept } else { &mut lost }) += 1;
    }
    assert!(kept > 0 && lost > 0);

    let disk = disk(1);
    written(&disk, b"x").sync_data().unwrap();
    disk.rename(path(), Path::new("/data/other")).unwrap();
    disk.sync_directory(Path::new("/data")).unwrap();
    disk.remove(Path::new("/data/other")).unwrap();
    assert!(!disk.exists(Path::new("/data/other")).unwrap());
    disk.sync_directory(Path::new("/elsewhere")).unwrap();
    assert_eq!(disk.used_bytes(), 1, "a removal that is not durable frees nothing");
    disk.sync_directory(Path::new("/data")).unwrap();
    assert_eq!((disk.used_bytes(), disk.files().len()), (0, 0));
}

#[test]
fn the_power_goes_at_the_change_it_was_ordered_for() {
    let disk = disk(7);
    let kills = Arc::new(AtomicU32::new(0));
    let counted = kills.clone();
    disk.on_power_cut(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let file = written(&disk, b"x");
    disk.cut_power_in(2);
    file.write(0, b"y").unwrap();
    file.read(0, &mut [0]).unwrap();
    assert_eq!(file.sync_data().unwrap_err().to_string(), "power is off");
    assert!(!disk.is_powered());
    assert_eq!(kills.load(Ordering::Relaxed), 1);
    disk.cut_power();
    assert_eq!((disk.statistics().power_cuts, kills.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn a_file_is_locked_while_it_is_open() {
    let disk = disk(0);
    let file = written(&disk, b"x");
    assert_eq!(disk.open(path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    drop(file);
    let held = disk.open(path()).unwrap();
    disk.restore_power();
    disk.open(path()).expect("a restart of the process frees its locks");
    drop(held);
}

#[test]
fn faults_strike_and_heal() {
    let disk = disk(0);
    let file = written(&disk, b"old");
    file.sync_data().unwrap();
    disk.sync_directory(Path::new("/data")).unwrap();

    disk.set_capacity(Some(4));
    assert_eq!(file.write(3, b"ab").unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.set_len(5).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.set_capacity(None);

    disk.change_faults(|faults| *faults = DiskFaults { failing_operations: Ratio::one_in(1), ..Default::default() });
    assert!(file.write(0, b"new").is_err() && file.read(0, &mut [0]).is_err());
    disk.change_faults(|faults| *faults = DiskFaults { failing_syncs: Ratio::one_in(1), ..Default::default() });
    file.write(0, b"new").unwrap();
    assert!(file.sync_data().is_err());
    disk.change_faults(|faults| *faults = DiskFaults::default());
    file.sync_data().unwrap();
    let mut shown = [0; 3];
    file.read(0, &mut shown).unwrap();
    assert_eq!(&shown, b"new", "after a failed sync readers still see what may never be durable");

    file.write(0, b"old").unwrap();
    file.sync_data().unwrap();
    let lies = DiskFaults { lying_syncs: true, lost_writes: Ratio::one_in(1), ..Default::default() };
    disk.change_faults(|faults| *faults = lies);
    file.write(0, b"new").unwrap();
    file.sync_data().unwrap();
    disk.cut_power();
    disk.restore_power();
    assert_eq!(content(&disk).unwrap(), b"old");
}

#[test]
fn a_disk_that_was_replaced_has_only_what_the_new_one_has() {
    let disk = disk(1);
    let file = written(&disk, b"gone");
    file.sync_data().unwrap();
    disk.sync_directory(Path::new("/data")).unwrap();
    let new = Path::new("/data/new");
    disk.replace(&[], &[(new, b"there")]);
    assert!(file.read(0, &mut [0]).is_err(), "what was open is dead");
    assert_eq!(content(&disk), None);
    disk.cut_power();
    disk.restore_power();
    assert_eq!(disk.files(), [new], "it came with the disk");
    written(&disk, b"kept").sync_data().unwrap();
    disk.replace(&[path()], &[]);
    assert_eq!((disk.files(), content(&disk)), (vec![path().to_owned()], Some(b"kept".to_vec())));
}

#[test]
fn bits_that_rot_are_seen_once_a_file_is_opened_again() {
    let disk = disk(1);
    let file = written(&disk, &[0; 64]);
    file.sync_data().unwrap();
    disk.rot(path(), 1);
    let mut cached = [1; 64];
    file.read(0, &mut cached).unwrap();
    assert_eq!(cached, [0; 64], "it is in the cache");
    drop(file);
    let bits: u32 = content(&disk).unwrap().iter().map(|byte| byte.count_ones()).sum();
    assert_eq!((bits, disk.statistics().faults), (1, 1));
}
