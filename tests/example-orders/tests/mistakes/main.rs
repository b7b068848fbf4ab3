//! Mistakes that people make, and that a few seeds find. `harness/TESTING.md` goes through them.
mod forgets_to_refund;
mod pays_again;
mod reads_the_clock;
mod reads_the_machine;
