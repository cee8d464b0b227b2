//! Mount tables: what `/proc/PID/mountinfo` says (proc_pid_mountinfo(5)), and how two of them differ.

/// A line of a mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The file system's device, major and minor number: the same for every mount of it.
    pub(crate) device: String,
    /// Which part of its file system is mounted.
    pub(crate) part: String,
    /// Where.
    pub(crate) place: String,
    /// Its options.
    pub(crate) options: Vec<String>,
    /// The file system's type.
    pub(crate) kind: String,
    /// What is mounted.
    pub(crate) source: String,
    /// The whole line.
    pub(crate) line: String,
}

/// The lines of a mount table that are such lines.
pub(crate) fn parse(table: &str) -> Vec<Mount> {
    table.lines().filter_map(Mount::parse).collect()
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        // The number of optional fields is not fixed; a dash ends them.
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(2).map(unescaped);
        let (device, part, place, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let mut filesystem = filesystem.split(' ').map(unescaped);
        Some(Self {
            device,
            part,
            place,
            options: options.split(',').map(str::to_owned).collect(),
            kind: filesystem.next()?,
            source: filesystem.next().unwrap_or_default(),
            line: line.to_owned(),
        })
    }

    /// Whether it is at this folder, or below it.
    pub(crate) fn is_within(&self, folder: &str) -> bool {
        is_at_or_below(&self.place, folder)
    }

    /// In a few words.
    pub(crate) fn shown(&self) -> String {
        format!("{} on {} ({})", self.kind, self.place, self.source)
    }
}

/// Whether a path is this folder, or below it; both absolute.
pub(crate) fn is_at_or_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder == "/")
}

/// The kernel writes space, tab, newline and backslash as octal numbers.
fn unescaped(field: &str) -> String {
    let mut text = field.to_owned();
    for (written, meant) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(written, meant);
    }
    text
}

/// Lines that only one of two tables has, with a `-` for those of the first and a `+` for those of the second; a few of
/// them.
pub(crate) fn difference(before: &str, after: &str) -> Vec<String> {
    const SHOWN: usize = 6;
    let missing = |mark: char, from: &str, other: &str| {
        let lines = from.lines().filter(|line| !other.lines().any(|same| same == *line));
        lines.map(|line| format!("{mark} {line}")).collect::<Vec<_>>()
    };
    let mut rows = missing('-', before, after);
    rows.extend(missing('+', after, before));
    if rows.is_empty() && before != after {
        rows.push("the same lines in another order".to_owned());
    }
    let count = rows.len();
    if count > SHOWN {
        rows.truncate(SHOWN);
        rows.push(format!("… and {} more", count - SHOWN));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "21 1 0:19 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw\n\
                         22 21 0:5 /a\\040b /proc/x\\134y ro - proc proc rw,nosuid\n";

    #[test]
    fn a_line_is_read_whatever_its_optional_fields() {
        let mounts = parse(TABLE);
        assert_eq!(mounts.len(), 2, "both lines");
        assert_eq!((mounts[0].place.as_str(), mounts[0].kind.as_str()), ("/", "ext4"), "with two of them");
        assert_eq!(mounts[1].device, "0:5", "the device, and not one of the ids before it");
        assert_eq!((mounts[1].part.as_str(), mounts[1].place.as_str()), ("/a b", "/proc/x\\y"), "with none");
        assert_eq!(mounts[1].options, ["ro"], "options of the mount, not of the file system");
    }

    #[test]
    fn within_is_by_whole_names() {
        let within = |folder| parse(TABLE)[1].is_within(folder);
        assert!(within("/proc") && within("/proc/x\\y"), "below and at");
        assert!(!within("/pro") && !within("/dev"), "a beginning of a name is another name");
    }

    #[test]
    fn a_difference_names_both_sides() {
        assert!(difference(TABLE, TABLE).is_empty(), "nothing differs from itself");
        let rows =
            difference(TABLE, "21 1 0:19 / / rw,relatime shared:1 master:2 - ext4 /dev/root rw\nnew\n");
        assert!(rows.iter().any(|row| row.starts_with("- 22")), "what is gone: {rows:?}");
        assert!(rows.contains(&"+ new".to_owned()), "what has come: {rows:?}");
    }
}
