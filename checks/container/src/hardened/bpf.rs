//! What a filter says about a call, without making it: the kernel's machine for filters, as far as seccomp has it
//! (Documentation/networking/filter.rst and seccomp(2)).
//!
//! So that a filter can be asked about calls of an ABI that this kernel does not have: another one may.

/// An instruction, as programs write it (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    code: u16,
    jump_true: u8,
    jump_false: u8,
    value: u32,
}

/// A call, as a filter sees it (`struct seccomp_data`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    pub(super) number: u32,
    pub(super) architecture: u32,
    pub(super) args: [u64; 6],
}

/// The size of an instruction in memory, in bytes.
pub(super) const INSTRUCTION_BYTES: usize = 8;

/// The instructions in memory that was read from a program.
pub(super) fn decode(bytes: &[u8]) -> Vec<Instruction> {
    let instruction = |bytes: &[u8; INSTRUCTION_BYTES]| Instruction {
        code: u16::from_ne_bytes([bytes[0], bytes[1]]),
        jump_true: bytes[2],
        jump_false: bytes[3],
        value: u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
    };
    bytes.as_chunks().0.iter().map(instruction).collect()
}

impl Data {
    /// The 32 bits at an offset.
    fn word(&self, offset: u32) -> Option<u32> {
        match offset {
            0 => Some(self.number),
            4 => Some(self.architecture),
            // The instruction pointer: of nobody.
            8 | 12 => Some(0),
            16..64 if offset.is_multiple_of(4) => {
                let arg = self.args[(offset as usize - 16) / 8];
                Some(if offset.is_multiple_of(8) { arg as u32 } else { (arg >> 32) as u32 })
            }
            _ => None,
        }
    }
}

/// What a filter returns; `None` for a program that is none.
pub(super) fn verdict(program: &[Instruction], data: &Data) -> Option<u32> {
    const LD: u16 = 0;
    const LDX: u16 = 1;
    const ST: u16 = 2;
    const STX: u16 = 3;
    const ALU: u16 = 4;
    const JMP: u16 = 5;
    const RET: u16 = 6;
    const MISC: u16 = 7;
    let (mut at, mut a, mut x, mut memory) = (0_usize, 0_u32, 0_u32, [0_u32; 16]);
    // A program jumps forwards alone, so it ends.
    loop {
        let Instruction { code, jump_true, jump_false, value } = *program.get(at)?;
        at += 1;
        let operand = if code & 0x08 == 0 { value } else { x };
        match code & 0x07 {
            LD => a = loaded(code, value, data, &memory)?,
            LDX => x = loaded(code, value, data, &memory)?,
            ST => *memory.get_mut(value as usize)? = a,
            STX => *memory.get_mut(value as usize)? = x,
            ALU => a = computed(code & 0xf0, a, operand)?,
            JMP => {
                let holds = match code & 0xf0 {
                    0x00 => {
                        at += value as usize;
                        continue;
                    }
                    0x10 => a == operand,
                    0x20 => a > operand,
                    0x30 => a >= operand,
                    0x40 => a & operand != 0,
                    _ => return None,
                };
                at += usize::from(if holds { jump_true } else { jump_false });
            }
            RET => return Some(if code & 0x18 == 0x10 { a } else { value }),
            MISC if code & 0x80 == 0 => x = a,
            _ => a = x,
        }
    }
}

fn loaded(code: u16, value: u32, data: &Data, memory: &[u32; 16]) -> Option<u32> {
    match code & 0xe0 {
        0x00 => Some(value),
        0x20 => data.word(value),
        0x60 => memory.get(value as usize).copied(),
        // The length of what a filter sees.
        0x80 => Some(64),
        _ => None,
    }
}

fn computed(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        0x00 => a.wrapping_add(operand),
        0x10 => a.wrapping_sub(operand),
        0x20 => a.wrapping_mul(operand),
        0x30 => a.checked_div(operand)?,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => a.wrapping_shl(operand),
        0x70 => a.wrapping_shr(operand),
        0x80 => a.wrapping_neg(),
        0xa0 => a ^ operand,
        _ => return None,
    })
}

/// Whether a verdict refuses: an errno, or death. Of several filters the strictest counts, which is the lowest as a
/// signed number.
pub(super) fn refuses(verdict: u32) -> bool {
    const ERRNO: u32 = 0x0005_0000;
    let (action, errno) = (verdict & 0xffff_0000, verdict & 0xffff);
    match action {
        // Kill the process, kill the thread, SIGSYS.
        0x8000_0000 | 0 | 0x0003_0000 => true,
        ERRNO => errno == libc::EPERM as u32 || errno == libc::ENOSYS as u32,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: u32 = 0x7fff_0000;
    const EPERM: u32 = 0x0005_0001;

    fn instruction(code: u16, value: u32, jump_true: u8, jump_false: u8) -> Instruction {
        Instruction { code, jump_true, jump_false, value }
    }

    #[test]
    fn a_filter_by_number_and_flag() {
        // ld nr; jeq 272, +0, +2; ld args[0]; jset NEWUSER, +1; ret allow; ret eperm
        let program = [
            instruction(0x20, 0, 0, 0),
            instruction(0x15, 272, 0, 2),
            instruction(0x20, 16, 0, 0),
            instruction(0x45, 0x1000_0000, 1, 0),
            instruction(0x06, ALLOW, 0, 0),
            instruction(0x06, EPERM, 0, 0),
        ];
        let of = |number, flags| {
            let data = Data { number, architecture: 0, args: [flags, 0, 0, 0, 0, 0] };
            verdict(&program, &data).map(refuses)
        };
        assert_eq!(of(272, 0x1002_0000), Some(true), "with the flag among others");
        assert_eq!(of(272, 0x0002_0000), Some(false), "without it");
        assert_eq!(of(272, 0x1000_0000_0000_0000), Some(false), "the upper half is another word");
        assert_eq!(of(56, 0x1000_0000), Some(false), "another call");
    }

    #[test]
    fn a_program_without_an_end_is_none() {
        let data = Data { number: 0, architecture: 0, args: [0; 6] };
        assert_eq!(verdict(&[instruction(0x20, 0, 0, 0)], &data), None, "it runs past its last instruction");
        assert_eq!(verdict(&[instruction(0x20, 99, 0, 0)], &data), None, "and this one looks past the data");
    }
}
