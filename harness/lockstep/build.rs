//! Names the one condition under which the C library is interposed, so that no file repeats it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(lockstep_supported)");
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|found| found == value);
    // madsim interposes the C library itself.
    let madsim = std::env::var("CARGO_CFG_MADSIM").is_ok();
    if is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && !madsim
    {
        println!("cargo:rustc-cfg=lockstep_supported");
    }
}
