//! `furka export DIR`: the resources as files.

use std::{fs, path::PathBuf};

use clap::Args;
use store::ResourceKind;

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print,
};

/// What `furka export` is told.
#[derive(Args)]
pub(crate) struct Export {
    /// The folder; it is made if it is not there.
    dir: PathBuf,
    /// Overwrites files that are there with other contents.
    #[arg(long)]
    force: bool,
}

impl Export {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let mut files = Vec::new();
        for kind in ResourceKind::ALL {
            let path = self.dir.join(format!("{}.toml", kind.name()));
            let text = here.resource(kind).await?.text;
            let differs = fs::read(&path).is_ok_and(|found| found != text.as_bytes());
            if differs && !self.force {
                let sentence = format!("`{}` is there with other contents", path.display());
                return Err(Failure::new(sentence)
                    .cure("choose another folder, or overwrite it with `--force`"));
            }
            files.push((path, text));
        }
        let doing = || format!("writing to `{}`", self.dir.display());
        fs::create_dir_all(&self.dir).doing(doing)?;
        for (path, text) in files {
            fs::write(&path, text).doing(doing)?;
            print::line(path.display());
        }
        Ok(Exit::Done)
    }
}
