//! stub
pub(crate) fn run(_: &crate::house::House) -> anyhow::Result<crate::exit::Exit> { unimplemented!() }
