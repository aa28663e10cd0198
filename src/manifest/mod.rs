//! YAML as kubectl reads it, with positions; schemas.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`crds`] | the CRDs of some cluster, or of another Ramen |
//! | [`goyaml`] | the YAML in Ramen's `ConfigMap`s, as Ramen reads it |
//! | [`load`] | files, folders and standard input, to objects that know where they were written |
//! | [`yaml`] | one text, to JSON values and the place of each part |
//! | [`object`] | an object, and where it was written |
//! | [`position`] | lines and columns |
//! | [`schema`] | whether an object fits its CRD, in kube-apiserver's words |

pub mod crds;
pub mod goyaml;
mod inside;
pub mod load;
pub mod object;
pub mod pile;
pub mod position;
pub mod schema;
pub mod yaml;
