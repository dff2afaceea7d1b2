//! Terroir's measured routes in Rust: hyper on one tokio thread, tokio-postgres, prometheus,
//! and a Redis client of its own, since Debian packages none. Every request is counted and timed.

mod redis;
mod stores;

use hyper::service::{make_service_fn, service_fn};
use hyper::{header, Body, Method, Request, Response, Server, StatusCode};
use prometheus::{Counter, Histogram, HistogramOpts};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use stores::{Failure, Stores};

const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1.0, 2.0, 2.5, 3.0, 5.0, 7.0, 10.0];

/// The counters of one route.
struct Route {
    count: Counter,
    duration: Histogram,
}

impl Route {
    fn new(name: &str) -> Route {
        let options = HistogramOpts::new(format!("{name}_duration_seconds"), "Durations.").buckets(BUCKETS.to_vec());
        Route {
            count: Counter::new(format!("{name}_requests_total"), "Requests.").expect("a name"),
            duration: Histogram::with_opts(options).expect("a name"),
        }
    }
}

struct Peer {
    stores: Stores,
    livez: Route,
    version: Route,
    garden: Route,
    readings: Route,
}

fn json(body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

#[derive(serde::Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    revision: &'static str,
    rust: &'static str,
}

const VERSION: Version = Version { name: "terroir", version: "0.1.0", revision: "unknown", rust: "1" };

impl Peer {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let start = Instant::now();
        let path = request.uri().path().to_owned();
        let (route, result) = if request.method() == Method::GET && path == "/livez" {
            (&self.livez, Ok(json(r#"{"status":"ok"}"#)))
        } else if request.method() == Method::GET && path == "/version" {
            (&self.version, serde_json::to_vec(&VERSION).map(json).map_err(Failure::from))
        } else if let Some(id) = path.strip_prefix("/api/gardens/") {
            (&self.garden, self.stores.garden(id).await.map(json))
        } else if let Some(id) = path.strip_prefix("/api/devices/").and_then(|rest| rest.strip_suffix("/readings")) {
            (&self.readings, self.stores.add_readings(id, request).await.map(json))
        } else {
            return status(StatusCode::NOT_FOUND);
        };
        route.count.inc();
        route.duration.observe(start.elapsed().as_secs_f64());
        result.unwrap_or_else(|failure| {
            eprintln!("{failure}");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let redis = Some(variable("REDIS_URL")).filter(|_| variable("CACHE") == "on");
    let stores = Stores::connect(&variable("DATABASE_URL"), redis.as_deref()).await.expect("the stores");
    let peer = Arc::new(Peer {
        stores,
        livez: Route::new("livez"),
        version: Route::new("version"),
        garden: Route::new("garden"),
        readings: Route::new("readings"),
    });
    let service = make_service_fn(|_| {
        let peer = peer.clone();
        async move {
            Ok::<_, Infallible>(service_fn(move |request| {
                let peer = peer.clone();
                async move { Ok::<_, Infallible>(peer.answer(request).await) }
            }))
        }
    });
    let port: u16 = variable("PORT").parse().expect("a port");
    let server = Server::bind(&([127, 0, 0, 1], port).into()).http1_pipeline_flush(true).tcp_nodelay(true);
    server.serve(service).await.expect("the server");
}
