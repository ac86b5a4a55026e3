//! What the derived OpenAPI document leaves open: which fields of an answer are always there.
//!
//! An answer has all its fields, with `null` where there is nothing to say. Derived schemas call such a
//! field optional, as it is in a body that is sent to us; who generates types from the document
//! would have to ask twice. Bodies that are sent are told apart by taking no other fields.

use utoipa::openapi::schema::{AdditionalProperties, Object, Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr};

/// Marks the fields of answers that may be `null` as always there.
pub fn complete(document: &mut OpenApi) {
    let Some(components) = &mut document.components else {
        return;
    };
    for schema in components.schemas.values_mut() {
        if let RefOr::T(schema) = schema {
            complete_schema(schema);
        }
    }
}

fn complete_schema(schema: &mut Schema) {
    match schema {
        Schema::Object(object) => complete_object(object),
        // A structure that has another one's fields too.
        Schema::AllOf(parts) => {
            for part in &mut parts.items {
                if let RefOr::T(part) = part {
                    complete_schema(part);
                }
            }
        }
        _ => {}
    }
}

fn complete_object(object: &mut Object) {
    if matches!(
        object.additional_properties.as_deref(),
        Some(AdditionalProperties::FreeForm(false))
    ) {
        return;
    }
    for (name, property) in &object.properties {
        if !object.required.contains(name) && is_nullable(property) {
            object.required.push(name.clone());
        }
    }
}

fn is_nullable(property: &RefOr<Schema>) -> bool {
    let RefOr::T(schema) = property else {
        return false;
    };
    match schema {
        Schema::Object(object) => may_be_null(&object.schema_type),
        Schema::Array(array) => may_be_null(&array.schema_type),
        Schema::OneOf(one_of) => one_of.items.iter().any(|item| {
            matches!(item, RefOr::T(Schema::Object(object)) if may_be_null(&object.schema_type))
        }),
        _ => false,
    }
}

fn may_be_null(kind: &SchemaType) -> bool {
    match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    }
}
