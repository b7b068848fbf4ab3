//! RPCs on workflows and their tasks, one per file.
