//! Values in buckets: how long things took.

/// A histogram over fixed bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One count for each bound, and one for what lies above the last.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// An empty histogram; `bounds` rise.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    /// A histogram with these counts, one for each bound and one for what lies
    /// above; none if there are not so many.
    pub fn restored(bounds: &'static [f64], counts: Vec<u64>, sum: f64) -> Option<Self> {
        (counts.len() == bounds.len() + 1).then_some(Self {
            bounds,
            counts,
            sum,
        })
    }

    /// Counts one value.
    pub fn observe(&mut self, value: f64) {
        let fits = |bound: &&f64| value <= **bound;
        let place = self.bounds.iter().take_while(|bound| !fits(bound)).count();
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum += value;
    }

    /// The sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each upper bound with the values in its bucket alone; the last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: [f64; 3] = [1.0, 5.0, 60.0];

    #[test]
    fn a_value_on_a_bound_lies_below_it() {
        let mut histogram = Histogram::new(&BOUNDS);
        for value in [0.0, 1.0, 1.5, 60.0, 200.0] {
            histogram.observe(value);
        }
        let buckets: Vec<_> = histogram.buckets().filter(|(_, n)| *n > 0).collect();
        assert_eq!(buckets, [(1.0, 2), (5.0, 1), (60.0, 1), (f64::INFINITY, 1)]);
        assert_eq!(histogram.count(), 5);
        assert!((histogram.sum() - 262.5).abs() < f64::EPSILON);
    }
}
