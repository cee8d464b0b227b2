//! From a host to a connection: names with several addresses, and with none.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener},
    process,
};

use harness::{Context, Halt, Judged, origin::has_address};

use super::{expect_field, request_for, the_request};
use crate::{client, server};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

pub(super) fn every_address_of_a_name_is_tried(context: &Context) -> Judged {
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let second = if has_address(V6) { V6 } else { OTHER };
    let addresses = [V4, second];
    let names = context.names(&addresses.map(|address| ("two-homes.test", address)))?;
    // In which order a client tries them is its resolver's choice: one of the two is met by an address that is dead.
    for address in addresses {
        let origin = server::closing("hello").serve_from(context.origin().on(address))?;
        let told = format!("two-homes.test is {V4} and {second}; only {address} accepts");
        let run =
            client::get(context, &origin.url_as("two-homes.test", "/"))?.knowing(&names).against([told]);
        match the_request(&origin, run) {
            Ok(_) => {}
            Err(halt) => return Err(halt.likely("only the first address that a name resolves to is tried")),
        }
    }
    Ok(())
}

pub(super) fn nobody_there_is_a_failure_of_its_kind(context: &Context) -> Judged {
    // Nobody listens at this address, and nobody else is given the port, which is taken at another one.
    let taken = TcpListener::bind((V4, 0))?;
    let own = process::id().to_be_bytes();
    let nobody = Ipv4Addr::new(127, own[2].max(1), own[3], 101);
    let url = format!("http://{nobody}:{}/", taken.local_addr()?.port());
    let failure = client::get(context, &url)?.outcome()?.fails_as(&["connect"])?;
    if let Some(response) = failure.response {
        return Err(
            Halt::fail("nothing on stdout", format!("{response:?}")).did([format!("run http get {url}")])
        );
    }
    let names = context.names(&[])?;
    let run = client::get(context, "http://nobody.test/")?.knowing(&names);
    run.against(["nobody.test has no address".to_owned()]).outcome()?.fails_as(&["dns"]).map(drop)
}

/// `Host` for an address in brackets, where this machine has one.
#[track_caller]
pub(super) fn host_of_an_ipv6_address(context: &Context) -> Judged {
    if !has_address(V6) {
        context.measured("no IPv6 on this machine: Host was not looked at for http://[::1]/");
        return Ok(());
    }
    let origin = server::closing("hello").serve_from(context.origin().on(V6))?;
    let url = origin.url("/");
    let request = request_for(context, &origin, &url)?;
    expect_field(&request, "host", &format!("[::1]:{}", origin.port()), &format!("get {url}"))
}

/// A listener on this port of an address that nobody else uses at the same time.
///
/// # Errors
/// Skip where that is not allowed, or where somebody has the port on every address.
#[track_caller]
pub(crate) fn with_port(context: &Context, port: u16) -> Judged<(TcpListener, String)> {
    let own = process::id().to_be_bytes();
    for try_ in 1..=100 {
        // All of 127.0.0.0/8 is this machine.
        let address = Ipv4Addr::new(127, own[2].max(1), own[3], context.rng().u8(2..100).wrapping_add(try_));
        match TcpListener::bind((address, port)) {
            Ok(listener) => return Ok((listener, address.to_string())),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(_) => {
                return Err(Halt::skip(format!(
                    "port {port} needs root here; try it with `sysctl net.ipv4.ip_unprivileged_port_start={port}`"
                )));
            }
        }
    }
    Err(Halt::skip(format!(
        "somebody has port {port} on every address of this machine; `ss -ltnp 'sport = :{port}'` says who"
    )))
}
