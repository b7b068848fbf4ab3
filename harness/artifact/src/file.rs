//! Artifacts as files: how they are written, and which versions are read.
use crate::{ARTIFACT_VERSION, Artifact, version_1, version_2};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Why an artifact cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    #[error("cannot read {path}: {error}", path = path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("cannot write {path}: {error}", path = path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error("{path} is no artifact of a run: {reason}", path = path.display())]
    Unusable { path: PathBuf, reason: String },
}

impl Artifact {
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        let failed = |error| ArtifactError::Write { path: path.to_owned(), error };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        let json = serde_json::to_vec_pretty(self).expect("an artifact is plain data");
        std::fs::write(path, json).map_err(failed)
    }

    /// Writes it in place of what is there, which stays whole until the new one is: a process may end at any moment.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn replace(&self, path: &Path) -> Result<(), ArtifactError> {
        let new = path.with_extension("json.new");
        self.write(&new)?;
        std::fs::rename(&new, path).map_err(|error| ArtifactError::Write { path: path.to_owned(), error })
    }

    /// The same run in another file.
    #[must_use]
    pub fn moved_to(&self, path: &Path) -> Artifact {
        let reproduce = self.request.command(Some(&path.display().to_string()));
        Artifact { reproduce, ..self.clone() }
    }

    /// # Errors
    /// It cannot be read, is no artifact, or one of a later version.
    pub fn read(path: &Path) -> Result<Artifact, ArtifactError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| ArtifactError::Read { path: path.to_owned(), error })?;
        let value: Result<Value, _> = serde_json::from_str(&text);
        let artifact = value.map_err(|error| error.to_string()).and_then(Artifact::from_json);
        artifact.map_err(|reason| ArtifactError::Unusable { path: path.to_owned(), reason })
    }

    /// An artifact of this version or an earlier one, or in a sentence why it is none.
    ///
    /// # Errors
    /// It has no version, a later one, or not the fields of its version.
    pub fn from_json(mut value: Value) -> Result<Artifact, String> {
        let version = value.get("version").and_then(Value::as_u64);
        match version {
            None => return Err("it has no version".to_owned()),
            Some(1) => {
                version_1::migrate(&mut value)?;
                version_2::migrate(&mut value)?;
            }
            Some(2) => version_2::migrate(&mut value)?,
            Some(found) if found == u64::from(ARTIFACT_VERSION) => {}
            Some(found) => {
                return Err(format!("it has version {found}, this tempest reads versions 1 to {ARTIFACT_VERSION}"));
            }
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_artifact_survives_its_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("deeper/run.json");
        let artifact = Artifact { version: ARTIFACT_VERSION, seed: u64::MAX, ..Artifact::default() };
        artifact.write(&path).expect("written");
        assert_eq!(Artifact::read(&path).expect("read"), artifact);
    }

    #[test]
    fn what_is_no_artifact_is_told_in_a_sentence() {
        let refused = |value: Value| Artifact::from_json(value).expect_err("refused");
        assert_eq!(refused(json!({"version": 4})), "it has version 4, this tempest reads versions 1 to 3");
        assert_eq!(refused(json!({"version": 0})), "it has version 0, this tempest reads versions 1 to 3");
        assert_eq!(refused(json!({"scenario": "hello"})), "it has no version");
        assert_eq!(refused(json!([1])), "it has no version");
        assert_eq!(refused(json!({"version": 3})), "missing field `scenario`");
        let missing = Artifact::read(Path::new("nowhere/run.json")).expect_err("there is none").to_string();
        assert!(missing.starts_with("cannot read nowhere/run.json: "), "{missing}");
    }
}
