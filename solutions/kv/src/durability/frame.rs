//! Rule 1: every byte lies in a frame, under a checksum.
//!
//! ```text
//! | payload length: u32 | crc32 of length and payload: u32 | payload |
//! ```
//!
//! The length is summed too: over the payload alone, a run of zeros would be a sound and empty frame.

use std::io::{self, Read};

/// Bytes that a frame adds to its payload.
pub(crate) const HEADER_BYTES: usize = 8;

/// Wraps `payload` in a frame.
pub fn seal(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&checksum(&length, payload));
    frame.extend_from_slice(payload);
    frame
}

/// The payload of a frame; `None` if `frame` is not exactly one, whole and sound.
pub fn unseal(frame: &[u8]) -> Option<&[u8]> {
    let (length, rest) = frame.split_first_chunk::<4>()?;
    let (sum, payload) = rest.split_first_chunk::<4>()?;
    let sound = u32::from_le_bytes(*length) as usize == payload.len() && *sum == checksum(length, payload);
    sound.then_some(payload)
}

/// Reads the next frame into `frame` and returns its payload; `None` if the `remaining` bytes do not begin
/// with one. A length is believed only as far as the file goes, before a byte is allocated for it.
pub fn read_frame<'a>(
    from: &mut impl Read,
    remaining: u64,
    frame: &'a mut Vec<u8>,
) -> io::Result<Option<&'a [u8]>> {
    let mut header = [0; HEADER_BYTES];
    if remaining < HEADER_BYTES as u64 {
        return Ok(None);
    }
    from.read_exact(&mut header)?;
    let [length @ .., _, _, _, _] = header;
    let length = u32::from_le_bytes(length);
    if u64::from(length) > remaining - HEADER_BYTES as u64 {
        return Ok(None);
    }
    frame.clear();
    frame.extend_from_slice(&header);
    frame.resize(HEADER_BYTES + length as usize, 0);
    from.read_exact(&mut frame[HEADER_BYTES..])?;
    Ok(unseal(frame))
}

fn checksum(length: &[u8; 4], payload: &[u8]) -> [u8; 4] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(length);
    sum.update(payload);
    sum.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_sound_only_as_it_was_sealed() {
        for payload in [&b""[..], b"a", &[0; 300]] {
            let frame = seal(payload);
            assert_eq!(unseal(&frame), Some(payload));
            assert_eq!(unseal(&frame[..frame.len() - 1]), None, "cut short");
            assert_eq!(unseal(&vec![0; frame.len()]), None, "zeroed");
            for at in 0..frame.len() {
                let mut flipped = frame.clone();
                flipped[at] ^= 0x80;
                assert_eq!(unseal(&flipped), None, "byte {at} of {} flipped", frame.len());
            }
        }
    }

    /// The trap: `vec![0; length]` before asking whether the file is that long.
    #[test]
    fn a_length_beyond_the_file_is_not_believed() {
        let mut frame = Vec::new();
        let huge = [0xff; HEADER_BYTES + 2];
        assert_eq!(read_frame(&mut &huge[..], huge.len() as u64, &mut frame).unwrap(), None);
        assert_eq!(frame.capacity(), 0, "nothing is allocated for it");
    }
}
