//! A marker says something to workers only.
use crate::{
    MutableState, PartKey,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::MarkerRecordedEventAttributes;

pub(crate) fn recorded(_: &mut MutableState, _: At<'_>, _: &MarkerRecordedEventAttributes) -> Applied {
    Ok(PartKey::Run)
}
