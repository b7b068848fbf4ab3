//! One rule per file, each a function from the tree to findings.

pub mod banned_words;
pub mod crate_layers;
pub mod doors;
pub mod file_length;
pub mod file_names;
pub mod folder_layers;
pub mod function_length;
pub mod glossary;
pub mod markdown_width;
pub mod named_paths;
pub mod quoted_files;
pub mod unused_items;

mod phrases;
