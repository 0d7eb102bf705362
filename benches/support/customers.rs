//! Made-up customers in the shape of a telecom company's: the same in every run.
#![allow(dead_code, reason = "each bench uses a part of it")]

use chrono::NaiveDate;
use custom_attributes::{DataType, Value};
use rust_decimal::Decimal;

pub(crate) const ATTRIBUTES: [(&str, DataType); 10] = [
    ("gender", DataType::String),
    ("partner", DataType::Boolean),
    ("internet_service", DataType::String),
    ("contract", DataType::String),
    ("payment_method", DataType::String),
    ("tenure", DataType::Integer),
    ("credit_limit", DataType::Integer),
    ("monthly_charges", DataType::Decimal),
    ("total_charges", DataType::Decimal),
    ("contract_expiry", DataType::Date),
];

pub(crate) struct Customers {
    entities: usize,
}

impl Customers {
    pub(crate) const fn new(entities: usize) -> Self {
        Self { entities }
    }

    pub(crate) const fn len(&self) -> usize {
        self.entities
    }

    /// The id of the host, and the ten values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, [Value; 10])> {
        let mut random = Random(7);
        (0..self.entities as i64).map(move |n| (n + 1, customer(&mut random)))
    }

    /// Ids and numbers at random, the same for every walk.
    pub(crate) const fn walk(&self) -> Walk {
        self.walk_of(11)
    }

    /// One of many walks that differ.
    pub(crate) const fn walk_of(&self, seed: u64) -> Walk {
        Walk { random: Random(seed), entities: self.entities as u64 }
    }
}

fn customer(random: &mut Random) -> [Value; 10] {
    let tenure = random.below(73) as i64;
    let monthly = 1825 + random.below(10_050) as i64;
    let day = NaiveDate::from_num_days_from_ce_opt(737_000 + random.below(3_000) as i32).expect("a day");
    [
        random.one_of(&["Female", "Male"]),
        (random.below(10) < 7).into(),
        random.one_of(&["DSL", "Fiber optic", "No"]),
        random.one_of(&["Month-to-month", "One year", "Two year"]),
        random.one_of(&["Bank transfer (automatic)", "Credit card (automatic)", "Electronic check", "Mailed check"]),
        tenure.into(),
        (random.below(500) as i64 * 200).into(),
        Decimal::new(monthly, 2).into(),
        Decimal::new(monthly * tenure, 2).into(),
        day.into(),
    ]
}

pub(crate) struct Walk {
    random: Random,
    entities: u64,
}

impl Walk {
    pub(crate) fn next_id(&mut self) -> i64 {
        self.random.below(self.entities) as i64 + 1
    }

    /// A customer, an attribute's place among the ten, and a value for it.
    pub(crate) fn next_set(&mut self) -> (i64, usize, Value) {
        let (id, n) = (self.next_id(), self.random.below(10) as usize);
        (id, n, customer(&mut self.random)[n].clone())
    }

    pub(crate) fn next_number(&mut self) -> i64 {
        self.random.below(1 << 40) as i64
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_of(&mut self, texts: &[&str]) -> Value {
        texts[self.below(texts.len() as u64) as usize].into()
    }
}
