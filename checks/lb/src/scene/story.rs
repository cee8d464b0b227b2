//! What was done in a scene, as a reader can take it in: of a long story the beginning and the end.

/// Steps that are kept from the beginning, and from the end.
const KEPT: usize = 12;

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    steps: Vec<String>,
    /// How many are at work whose steps are told in other words.
    hushed: u32,
}

impl Story {
    pub(crate) fn add(&mut self, step: String) {
        if self.hushed == 0 {
            self.steps.push(step);
        }
    }

    pub(crate) fn hush(&mut self) {
        self.hushed += 1;
    }

    pub(crate) fn unhush(&mut self) {
        self.hushed -= 1;
    }

    pub(crate) fn told(&self) -> Vec<String> {
        let left_out = self.steps.len().saturating_sub(2 * KEPT);
        if left_out < 2 {
            return self.steps.clone();
        }
        let (beginning, end) = (&self.steps[..KEPT], &self.steps[KEPT + left_out..]);
        let middle = [format!("… {left_out} more steps …")];
        [beginning, &middle, end].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_story_loses_its_middle() {
        let mut story = Story::default();
        (0..100).for_each(|number| story.add(number.to_string()));
        story.hush();
        story.add("hushed".to_owned());
        story.unhush();
        let told = story.told();
        assert_eq!((told[0].as_str(), told[24].as_str(), told.len()), ("0", "99", 25));
        assert_eq!(told[12], "… 76 more steps …");
    }
}
