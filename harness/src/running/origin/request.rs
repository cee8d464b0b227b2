//! One request as it arrived: its bytes, and the few places in them that a check asks for. Nothing is interpreted
//! that a check could want to find fault with.

/// A request's bytes: its head up to the empty line, and as many of its body as its `Content-Length` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
    head_bytes: usize,
}

impl Request {
    /// `bytes` of which the first `head_bytes` are the head, with its empty line.
    pub(super) fn new(bytes: Vec<u8>, head_bytes: usize) -> Self {
        Self { bytes, head_bytes }
    }

    /// All requests in what a connection received, one behind the other. What follows the last whole one is left out.
    pub fn all(mut received: &[u8]) -> Vec<Self> {
        let mut requests = Vec::new();
        while let Some(head_bytes) = head_end(received) {
            let head = Self::new(received[..head_bytes].to_vec(), head_bytes);
            let length = head_bytes.saturating_add(head.content_length());
            let Some(bytes) = received.get(..length) else { break };
            requests.push(Self::new(bytes.to_vec(), head_bytes));
            received = &received[length..];
        }
        requests
    }

    /// All of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The start line, without its line end.
    pub fn line(&self) -> String {
        self.lines().next().unwrap_or_default()
    }

    /// The method, target and version: what spaces separate in the start line.
    pub fn words(&self) -> Vec<String> {
        self.line().split(' ').map(str::to_owned).collect()
    }

    /// The target: the second word of the start line.
    pub fn target(&self) -> String {
        self.words().into_iter().nth(1).unwrap_or_default()
    }

    /// The header fields in order: names in lower case, values without the spaces around them. A line without a colon
    /// is a name.
    pub fn fields(&self) -> Vec<(String, String)> {
        let field = |line: String| {
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        self.lines().skip(1).filter(|line| !line.is_empty()).map(field).collect()
    }

    /// The values of the fields of this name, given in lower case.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.fields().into_iter().filter(|field| field.0 == name).map(|field| field.1).collect()
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.head_bytes..]
    }

    /// What the first `Content-Length` says; 0 without one.
    pub(super) fn content_length(&self) -> usize {
        self.values("content-length").first().and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let head = String::from_utf8_lossy(&self.bytes[..self.head_bytes]).into_owned();
        head.split("\r\n").map(str::to_owned).collect::<Vec<_>>().into_iter()
    }
}

/// Where a head ends, behind its empty line.
pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_their_lengths() {
        let requests = Request::all(
            b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET",
        );
        let seen: Vec<_> =
            requests.iter().map(|request| (request.target(), request.body().to_vec())).collect();
        assert_eq!(
            seen,
            [("/a".to_owned(), b"hi".to_vec()), ("/b".to_owned(), Vec::new())],
            "two whole ones"
        );
        assert_eq!(requests[1].values("host"), ["x"]);
    }
}
