//! A webhook that allows everything and remembers who called.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::tls;

/// The name that kube-apiserver expects in the certificate.
const NAME: &str = "ramen-guard.ramen-guard-system.svc";

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) operation: String,
    pub(crate) user: String,
    pub(crate) dry_run: bool,
}

type Calls = Arc<Mutex<Vec<Call>>>;

/// Listens on the loopback interface until it is dropped.
pub(crate) struct Stub {
    pub(crate) port: u16,
    /// Who vouches for its certificate, in PEM.
    pub(crate) authority: String,
    calls: Calls,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Stub {
    pub(crate) fn start() -> Self {
        let tls::Issued {
            authority,
            certificate,
            key,
        } = tls::issue(&[NAME]);
        let tls = tls_config(&certificate, &key);
        let calls = Calls::default();
        let (stop, stopped) = oneshot::channel();
        let (listens, listening) = mpsc::channel();
        let thread = thread::spawn({
            let calls = Arc::clone(&calls);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                    listens.send(listener.local_addr().unwrap().port()).unwrap();
                    tokio::select! {
                        () = serve(listener, tls, calls) => {}
                        _ = stopped => {}
                    }
                });
            }
        });
        let port = listening.recv().expect("the stub listens");
        Self {
            port,
            authority,
            calls,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

fn tls_config(certificate: &str, key: &str) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, calls: Calls) {
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            continue;
        };
        let (tls, calls) = (tls.clone(), Arc::clone(&calls));
        tokio::spawn(async move {
            let Ok(connection) = tls.accept(connection).await else {
                return;
            };
            let answer = service_fn(move |request| answer(request, Arc::clone(&calls)));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(connection), answer)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    calls: Calls,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request = &review["request"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    calls
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Call {
            path,
            operation: text(&request["operation"]),
            user: text(&request["userInfo"]["username"]),
            dry_run: request["dryRun"] == true,
        });
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": request["uid"], "allowed": true},
    });
    Ok(Response::new(Full::from(answer.to_string())))
}
