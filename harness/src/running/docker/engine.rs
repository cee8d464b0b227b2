//! The Docker engine, over its socket, in as much HTTP as three questions need: an engine that does not answer has to be
//! told without compiling a client for it.

use std::{
    env,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::running::{Halt, Judged};

/// Where an engine listens unless `DOCKER_HOST` says otherwise.
const USUAL: &str = "/var/run/docker.sock";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    socket: PathBuf,
}

impl Engine {
    /// The engine that `DOCKER_HOST` names, or the usual one.
    ///
    /// # Errors
    /// Skip when none answers, with the command that helps.
    pub fn find() -> Judged<Self> {
        let host = env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
        let engine = match host.as_deref() {
            None => Self { socket: USUAL.into() },
            Some(host) => match host.strip_prefix("unix://") {
                Some(path) => Self { socket: path.into() },
                None => {
                    return Err(Halt::skip(format!(
                        "DOCKER_HOST is {host}, and containers have to be on this machine's loopback; \
                         set it to unix:// and the path of a socket"
                    )));
                }
            },
        };
        match engine.ask("GET", "/_ping") {
            Ok((200, _)) => Ok(engine),
            Ok((status, _)) => Err(Halt::skip(no_answer(&engine.socket, &format!("status {status}")))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Halt::skip(format!(
                "the Docker engine at {} is not for this user; try: sudo usermod -aG docker $USER, and log in anew",
                engine.socket.display()
            ))),
            Err(error) => Err(Halt::skip(no_answer(&engine.socket, &error.to_string()))),
        }
    }

    /// One request: the status of the answer, and its body.
    pub(super) fn ask(&self, method: &str, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // Of version 1.0, so that nothing comes in chunks and the answer ends with the connection.
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
        let head = String::from_utf8_lossy(&answer[..end]);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok((status.ok_or(io::ErrorKind::InvalidData)?, answer.split_off(end + 4)))
    }
}

fn no_answer(socket: &Path, problem: &str) -> String {
    format!(
        "no Docker engine answers at {} ({problem}); try: apt-get install docker.io && service docker start, \
         or set DOCKER_HOST",
        socket.display()
    )
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let engine = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut asked = [0; 256];
            let length = stream.read(&mut asked).expect("a request");
            stream.write_all(b"HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n[\r\n\r\n]").expect("an answer");
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let answer = Engine { socket }.ask("DELETE", "/containers/x").expect("an answer");
        assert_eq!(answer, (404, b"[\r\n\r\n]".to_vec()));
        assert!(engine.join().expect("no panic").starts_with("DELETE /containers/x HTTP/1.0\r\n"));
    }

    #[test]
    fn what_helps_is_said_where_none_answers() {
        let said = no_answer(Path::new("/gone"), "No such file");
        assert!(
            said.contains("/gone (No such file)") && said.contains("apt-get install docker.io"),
            "{said}"
        );
    }
}
