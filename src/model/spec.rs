//! What a host says of an attribute: its name, data type, rules and documentation.

use serde::{Deserialize, Serialize};

use crate::model::form::Flat;
use crate::model::literal::{Bare, Literal};
use crate::model::{DataType, Retention, Value};

/// The rules of a definition; all are optional. What each means is said at [`DefinitionSpec`]'s methods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rules {
    /// The batch that creates an entity must give the value, and it cannot be cleared.
    pub required: bool,
    /// No two entities hold equal values.
    pub unique: bool,
    /// What is read where nothing is stored.
    pub default: Option<Value>,
    /// The least number or the earliest day.
    pub minimum: Option<Value>,
    /// The greatest number or the latest day.
    pub maximum: Option<Value>,
    /// The least number of characters.
    pub minimum_chars: Option<u32>,
    /// The greatest number of characters.
    pub maximum_chars: Option<u32>,
    /// How many digits a DECIMAL may have after its point, trailing zeros not counted.
    pub fraction_digits: Option<u32>,
    /// A regular expression that a STRING must match in full.
    pub pattern: Option<String>,
    /// The closed list of values; empty for none.
    pub choices: Vec<Value>,
}

/// What a definition tells people; all is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Documentation {
    /// What the attribute means.
    pub description: Option<String>,
    /// Under which heading it is shown.
    pub group: Option<String>,
    /// Examples of valid values; they are checked against the rules.
    pub examples: Vec<Value>,
    /// The systems that depend on it: while there are any, it is not deleted by accident.
    pub used_by: Vec<String>,
}

/// What a host declares of an attribute. It is checked when it is defined, all of it at once.
///
/// Serialises flat, its literals bare (DECIMAL and DATE as text), with nothing that is not set:
///
/// ```
/// use custom_attributes::{DataType, DefinitionSpec};
/// let spec = DefinitionSpec::new("credit_limit", DataType::Integer).minimum(0).default_value(1000).used_by("billing");
/// let json = r#"{"name":"credit_limit","data_type":"INTEGER","default":1000,"minimum":0,"used_by":["billing"]}"#;
/// assert_eq!(serde_json::to_string(&spec)?, json);
/// assert_eq!(serde_json::from_str::<DefinitionSpec>(json)?, spec);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Flat<Literal>", into = "Flat<Bare<Value>>")]
#[non_exhaustive]
pub struct DefinitionSpec {
    /// The name, as it was given; see [`crate::Name`].
    pub name: String,
    /// The type of its values.
    pub data_type: DataType,
    /// What values must meet.
    pub rules: Rules,
    /// What people are told.
    pub documentation: Documentation,
    /// Whether entities can be found by it. It is, unless said otherwise.
    pub searchable: bool,
    /// Whether it says something about a person, who may want it erased.
    pub sensitive: bool,
    /// How long its history is kept, if not for as long as that of the store.
    pub retention: Option<Retention>,
}

impl DefinitionSpec {
    /// A definition without rules and documentation.
    ///
    /// ```
    /// use custom_attributes::{DataType, DefinitionSpec};
    /// assert_eq!(DefinitionSpec::new("vip", DataType::Boolean), DefinitionSpec::boolean("vip"));
    /// ```
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            data_type,
            rules: Rules::default(),
            documentation: Documentation::default(),
            searchable: true,
            sensitive: false,
            retention: None,
        }
    }

    /// A STRING: text of up to 4096 characters.
    pub fn string(name: impl Into<String>) -> Self {
        Self::new(name, DataType::String)
    }

    /// A DECIMAL: an exact decimal number.
    pub fn decimal(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Decimal)
    }

    /// An INTEGER of 64 bits.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Integer)
    }

    /// A BOOLEAN.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Boolean)
    }

    /// A DATE: a day.
    pub fn date(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Date)
    }

    /// Renames it; values stay with it.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert_eq!(DefinitionSpec::string("tier").named("support_tier").name, "support_tier");
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// With another type, to convert what is held: see [`crate::AttributesOf::change`]. Rules that the type has no use for are
    /// refused then.
    ///
    /// ```
    /// use custom_attributes::{DataType, DefinitionSpec};
    /// assert_eq!(DefinitionSpec::string("seats").of_type(DataType::Integer), DefinitionSpec::integer("seats"));
    /// ```
    #[must_use]
    pub const fn of_type(mut self, data_type: DataType) -> Self {
        self.data_type = data_type;
        self
    }

    /// Requires the value: the batch that creates an entity must give it, and no batch can take it away.
    ///
    /// A batch creates an entity that held no value before the batch and holds one after it. The rule is checked against
    /// what the batch leaves, so the order of its changes does not matter. [`save`](crate::AttributesOf::save) must always
    /// list the value. An entity that was written before the rule was made may lack the value, and its other attributes can
    /// still be changed. A default does not replace the value.
    ///
    /// Removing the whole entity and erasing the value are allowed. Undo and restore return to a state that was valid at
    /// its time, so they are not bound by this rule, nor by any other rule but [`unique`](Self::unique).
    ///
    /// ```
    /// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore};
    /// let attributes = Attributes::new(MemoryStore::new());
    /// let customers = attributes.of("customer")?;
    /// customers.ensure([DefinitionSpec::string("billing_method").required(), DefinitionSpec::integer("seats")])?;
    /// let refused = customers.set(123, "seats", 5).unwrap_err();
    /// let message = "customer/123: `billing_method` is required, and would be missing: set it in the batch that creates the entity";
    /// assert_eq!(refused.to_string(), message);
    /// attributes.batch().set(("customer", 123), "seats", 5).set(("customer", 123), "billing_method", "monthly").commit()?;
    /// customers.set(123, "seats", 6)?;
    /// assert!(customers.clear(123, "billing_method").is_err());
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn required(mut self) -> Self {
        self.rules.required = true;
        self
    }

    /// Whether entities can be found, ordered and counted by it, for which an index is kept. Texts that are only read need
    /// none: without it they are written faster, and the file is smaller. A unique attribute always has its index.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert!(DefinitionSpec::string("tier").searchable);
    /// assert!(!DefinitionSpec::string("remarks").searchable(false).searchable);
    /// ```
    #[must_use]
    pub const fn searchable(mut self, searchable: bool) -> Self {
        self.searchable = searchable;
        self
    }

    /// It says something about a person, who may want it erased: see [`crate::BatchBuilder::erase`].
    ///
    /// Its values are in no error, no violation, no tracing and no `Debug` output of a type that knows the attribute; `a sensitive
    /// value` stands in their place, also in a filter's errors and in an [`Explanation`](crate::Explanation). What the definition
    /// itself declares, such as its default and its choices, is not hidden. Values are merged, split, moved and restored only to
    /// attributes that are marked as well.
    ///
    /// Some types and texts do not know the attribute or must contain the value:
    /// - `Debug` of a bare [`Value`] shows the value. `Debug` of a [`Filter`](crate::Filter), and of a [`Query`](crate::Query) with
    ///   one, shows what the caller wrote, because a filter has only names.
    /// - A [`Cursor`](crate::Cursor) of a query that is ordered by a sensitive attribute contains the value of the last entity of the
    ///   page, so it must not be put into URLs or logs.
    ///
    /// An attribute can be unmarked: what it holds then, and later, is restored like any other value. What was replaced or cleared
    /// before is not restored until the attribute is marked again. [`crate::Definition::is_sensitive`] stays true: values are still
    /// hidden, can be erased, and are moved only to attributes that are marked.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert!(DefinitionSpec::date("date of birth").sensitive().sensitive);
    /// ```
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// How long its history is kept, if not for as long as that of the store.
    ///
    /// ```
    /// # use custom_attributes::{DefinitionSpec, Retention};
    /// assert_eq!(DefinitionSpec::date("last seen").retention(Retention::Off).retention, Some(Retention::Off));
    /// ```
    #[must_use]
    pub const fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// No two entities hold equal values.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert!(DefinitionSpec::string("external_id").unique().rules.unique);
    /// ```
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.rules.unique = true;
        self
    }

    /// What is read where nothing is stored; it must meet the other rules. A unique attribute has none.
    ///
    /// A default is stored nowhere, and so changing it changes what is read. One rule says where it is seen:
    /// - `get` and `reading`, of a handle, a view and an [`Entity`](crate::Entity), give what is stored, or else the default.
    /// - Whatever gives an entity whole gives what is stored: `entity`, `entities`, [`Entity::iter`](crate::Entity::iter), `details`,
    ///   history, exports and the views in SQL. With defaults there are
    ///   [`entity_with_defaults`](crate::AttributesOf::entity_with_defaults), `entities_with_defaults` and
    ///   [`Entity::iter_with_defaults`](crate::Entity::iter_with_defaults).
    /// - Filters, orders and facets see what is stored. [`Query::with_defaults`](crate::Query::with_defaults) has the filter see
    ///   defaults as well.
    ///
    /// ```
    /// # use custom_attributes::{DefinitionSpec, Value};
    /// let spec = DefinitionSpec::string("billing_method").default_value("invoice");
    /// assert_eq!(spec.rules.default, Some(Value::from("invoice")));
    /// ```
    #[must_use]
    pub fn default_value(mut self, value: impl Into<Value>) -> Self {
        self.rules.default = Some(value.into());
        self
    }

    /// The least number (DECIMAL, INTEGER) or the earliest day (DATE).
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::integer("credit_limit").minimum(0);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("0", &limits).is_ok());
    /// let refused = definition.bind_text("-1", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`credit_limit` takes no less than 0, not -1");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn minimum(mut self, value: impl Into<Value>) -> Self {
        self.rules.minimum = Some(value.into());
        self
    }

    /// The greatest number (DECIMAL, INTEGER) or the latest day (DATE).
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::integer("discount").maximum(100);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("100", &limits).is_ok());
    /// let refused = definition.bind_text("101", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`discount` takes no more than 100, not 101");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn maximum(mut self, value: impl Into<Value>) -> Self {
        self.rules.maximum = Some(value.into());
        self
    }

    /// The least number of characters of a STRING.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::string("pin").minimum_chars(4);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("0000", &limits).is_ok());
    /// let refused = definition.bind_text("007", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`pin` takes at least 4 characters, not 3");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn minimum_chars(mut self, chars: u32) -> Self {
        self.rules.minimum_chars = Some(chars);
        self
    }

    /// The greatest number of characters of a STRING: up to 4096.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::string("note").maximum_chars(5);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("naïve", &limits).is_ok());
    /// let refused = definition.bind_text("longer", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`note` takes at most 5 characters, not 6");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn maximum_chars(mut self, chars: u32) -> Self {
        self.rules.maximum_chars = Some(chars);
        self
    }

    /// How many digits a DECIMAL may have after its point, trailing zeros not counted: up to 28.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::decimal("price").fraction_digits(2);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("9.990", &limits).is_ok());
    /// let refused = definition.bind_text("9.999", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`price` takes at most 2 digits after the point, not 9.999");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn fraction_digits(mut self, digits: u32) -> Self {
        self.rules.fraction_digits = Some(digits);
        self
    }

    /// A regular expression (the `regex` crate's syntax) that a STRING must match in full.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::string("country").pattern("[A-Z]{2}");
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("NL", &limits).is_ok());
    /// let refused = definition.bind_text("NLD", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`country` takes only what matches `[A-Z]{2}` in full, not \"NLD\"");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.rules.pattern = Some(pattern.into());
        self
    }

    /// The closed list of values: up to 5000, not for BOOLEAN.
    ///
    /// ```
    /// # use custom_attributes::{Definition, DefinitionId, DefinitionSpec, EntityType, Limits};
    /// # let (id, entity_type, limits) = (DefinitionId::new(1), EntityType::new("customer")?, Limits::typed());
    /// let spec = DefinitionSpec::string("tier").choices(["basic", "premium"]);
    /// # let definition = Definition::new(id, entity_type, spec, &limits)?;
    /// assert!(definition.bind_text("basic", &limits).is_ok());
    /// let refused = definition.bind_text("gold", &limits).unwrap_err();
    /// assert_eq!(refused.to_string(), "`tier` takes only `basic`, `premium`, not \"gold\"");
    /// # Ok::<(), custom_attributes::Error>(())
    /// ```
    #[must_use]
    pub fn choices<V: Into<Value>>(mut self, choices: impl IntoIterator<Item = V>) -> Self {
        self.rules.choices = choices.into_iter().map(Into::into).collect();
        self
    }

    /// What the attribute means.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// let spec = DefinitionSpec::date("expiry").description("The last day of the contract");
    /// assert_eq!(spec.documentation.description.as_deref(), Some("The last day of the contract"));
    /// ```
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.documentation.description = Some(text.into());
        self
    }

    /// Under which heading it is shown.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert_eq!(DefinitionSpec::date("expiry").group("Contract").documentation.group.as_deref(), Some("Contract"));
    /// ```
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.documentation.group = Some(group.into());
        self
    }

    /// One more example of a valid value.
    ///
    /// ```
    /// # use custom_attributes::{DefinitionSpec, Value};
    /// let spec = DefinitionSpec::integer("seats").example(5).example(50);
    /// assert_eq!(spec.documentation.examples, [Value::from(5), Value::from(50)]);
    /// ```
    #[must_use]
    pub fn example(mut self, value: impl Into<Value>) -> Self {
        self.documentation.examples.push(value.into());
        self
    }

    /// One more system that depends on it.
    ///
    /// ```
    /// # use custom_attributes::DefinitionSpec;
    /// assert_eq!(DefinitionSpec::integer("seats").used_by("billing").documentation.used_by, ["billing"]);
    /// ```
    #[must_use]
    pub fn used_by(mut self, system: impl Into<String>) -> Self {
        self.documentation.used_by.push(system.into());
        self
    }
}
