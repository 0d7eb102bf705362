//! What a host says: names, keys and ids, values, definitions, filters and queries. In one program, as each takes long to
//! build.

mod definitions;
mod filters;
mod finding;
mod keys_and_ids;
mod names;
mod refusals;
mod values;
