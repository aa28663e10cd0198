//! The way from the guard to the API server, which a test can cut.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// Forwards connections until the process ends.
pub(crate) struct Link {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    up: bool,
    open: Vec<TcpStream>,
}

impl Link {
    /// A link to what listens on this port of the loopback interface.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            up: true,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // An error ends the connection, which is all that can be done about it.
                thread::spawn(move || forward(client, port, &shared));
            }
        });
        Self { port: own, state }
    }

    /// Cuts it, with all that is open, or mends it.
    pub(crate) fn set(&self, up: bool) {
        let mut state = lock(&self.state);
        state.up = up;
        for connection in state.open.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn forward(mut client: TcpStream, port: u16, state: &Mutex<State>) -> io::Result<()> {
    let mut server = {
        let mut state = lock(state);
        if !state.up {
            return client.shutdown(Shutdown::Both);
        }
        let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        state.open.push(client.try_clone()?);
        server
    };
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
