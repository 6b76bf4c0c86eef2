//! Kannel: bearerbox, smsbox and the simulated SMS centre `fakesmsc`.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::process::{Process, free_port};

/// A Kannel that is up, from its HTTP interface to its SMS centre.
pub(crate) struct Kannel {
    pub(crate) send_port: u16,
    sms_centre: Process,
    _smsbox: Process,
    _bearerbox: Process,
    _folder: TempDir,
}

impl Kannel {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [admin, smsbox_port, centre_port, send_port] = [(); 4].map(|()| free_port());
        let path = folder.path().join("kannel.conf");
        fs::write(
            &path,
            configuration([admin, smsbox_port, centre_port, send_port]),
        )
        .unwrap();
        let kannel = |program| {
            Process::start(
                Command::new(program)
                    .args(["-v", "1"])
                    .arg(&path)
                    .current_dir(&folder),
            )
        };

        let bearerbox = kannel("/usr/sbin/bearerbox");
        bearerbox.says("Start-up done");
        let smsbox = kannel("/usr/sbin/smsbox");
        // It sends one message of its own; the answer to that has gone through every part.
        let sms_centre = Process::start(
            Command::new("/usr/lib/kannel/test/fakesmsc")
                .args([
                    "-H",
                    "127.0.0.1",
                    "-r",
                    &centre_port.to_string(),
                    "-i",
                    "1",
                    "-m",
                    "1",
                ])
                .arg("+41790000000 2000 text hello"),
        );
        sms_centre.says("Got message 1:");
        Self {
            send_port,
            sms_centre,
            _smsbox: smsbox,
            _bearerbox: bearerbox,
            _folder: folder,
        }
    }

    /// The next message the SMS centre gets: `from to encoding text`. Of a text in seven bits it shows
    /// the first line only.
    pub(crate) fn next_message(&self) -> String {
        let line = self.sms_centre.says("Got message");
        let (_, message) = line.split_once(": <").unwrap();
        message.trim_end_matches('>').to_owned()
    }
}

fn configuration([admin, smsbox, centre, send]: [u16; 4]) -> String {
    format!(
        r#"
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin-of-a-test
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
host = 127.0.0.1
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = furka
password = furkapw
concatenation = true
max-messages = 6

group = sms-service
keyword = default
text = "welcome"
"#
    )
}
