//! The way from kube-apiserver to the webhook, which a test can move, cut and choke.
//!
//! kube-apiserver resolves `clientConfig.service` to an address of its own network, where nothing
//! runs here: the cluster IP of the Service, or the name and the port 443 of one of type
//! `ExternalName`. But it can be told to make such connections through a proxy
//! (`--egress-selector-config-file`), with HTTP CONNECT over a Unix socket. This is that proxy. So
//! the shipped Service and configurations are used as they are, on any port, without privileges.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Shutdown, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// What answers when kube-apiserver calls the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Nothing: the connection is refused at once.
    Nothing,
    /// Nothing, ever: the connection is made and no byte comes back.
    Silence,
    /// Who listens on this port of the loopback interface.
    Port(u16),
    /// One of the two who listen on these, in turn.
    Either(u16, u16),
}

impl From<u16> for Backend {
    fn from(port: u16) -> Self {
        Self::Port(port)
    }
}

/// Listens until the process ends.
pub(crate) struct Proxy {
    state: Arc<Mutex<State>>,
}

struct State {
    backend: Backend,
    /// The connections made so far. kube-apiserver keeps them for later calls.
    open: Vec<UnixStream>,
}

impl Proxy {
    pub(crate) fn listen(socket: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let state = Arc::new(Mutex::new(State {
            backend: Backend::Nothing,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // An error ends the connection, which is all that can be done about it.
                thread::spawn(move || serve(client, &shared));
            }
        });
        Ok(Self { state })
    }

    /// New connections go there; those that exist stay what they are.
    pub(crate) fn turn_to(&self, backend: Backend) {
        lock(&self.state).backend = backend;
    }

    /// New connections go there; those that exist are cut.
    pub(crate) fn point_at(&self, backend: Backend) {
        self.turn_to(backend);
        let mut state = lock(&self.state);
        for connection in state.open.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn serve(mut client: UnixStream, state: &Mutex<State>) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    // The client speaks next only after our answer, so nothing is lost in this buffer.
    let mut request = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    client.set_read_timeout(None)?;

    let (backend, turn) = {
        let mut state = lock(state);
        state.open.push(client.try_clone()?);
        (state.backend, state.open.len())
    };
    let server = match backend {
        Backend::Nothing => None,
        Backend::Silence => {
            // `open` holds the connection until someone points elsewhere.
            return client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        }
        Backend::Port(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok(),
        Backend::Either(one, other) => {
            let port = if turn % 2 == 0 { one } else { other };
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        }
    };
    let Some(mut server) = server else {
        client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")?;
        return client.shutdown(Shutdown::Both);
    };

    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let _ = io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Both)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
