//! stub
pub(crate) fn run(_: &crate::house::House, _: &crate::cli::AuditArgs) -> anyhow::Result<crate::exit::Exit> { unimplemented!() }
