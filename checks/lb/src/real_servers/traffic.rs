//! Servers that are all there.

use harness::{Context, Judged};

use super::site::{LARGE_BYTES, NAMES, Site, names};
use crate::{round_robin::expect_cycle, scene::Scene};

pub(super) fn real_servers_take_turns(context: &Context) -> Judged {
    let site = Site::start(context)?;
    Scene::play(context, |scene| {
        let lb = site.balancer(scene).start()?;
        expect_cycle(NAMES, &names(scene, &lb, 30)?)
    })
}

pub(super) fn large_files_arrive_whole(context: &Context) -> Judged {
    let site = Site::start(context)?;
    Scene::play(context, |scene| {
        let stream = scene.stream();
        site.has_large(stream)?;
        let lb = site.balancer(scene).start()?;
        let clients = lb.clients(NAMES.len())?;
        for client in &clients {
            client.expects(stream);
            client.send(b"GET /large\r\n");
        }
        clients.iter().try_for_each(|client| client.receives_stream(LARGE_BYTES))?;
        clients.iter().try_for_each(|client| client.receives_end())
    })
}
