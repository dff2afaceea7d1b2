use crate::redis::Redis;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use hyper::{body, Body, Request};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_postgres::{Client, NoTls, Statement};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reads are pipelined on few connections; a durable write occupies its connection, so there are more of those.
const READERS: usize = 4;
const CONNECTIONS: usize = 32;
const CACHE_SECONDS: &str = "60";

const GARDEN: &str = "SELECT id::text, owner_id::text, name, latitude, longitude, area_square_metres, public, created_at, \
     updated_at FROM gardens WHERE id = $1::text::uuid AND public";
const INSERT: &str = "INSERT INTO readings (device_id, sensor_type, measured_at, value) \
     SELECT $1::text::uuid, * FROM unnest($2::text[], $3::timestamptz[], $4::float8[]) ON CONFLICT DO NOTHING";

struct Connection {
    client: Client,
    garden: Statement,
    insert: Statement,
}

pub struct Stores {
    connections: Vec<Connection>,
    next: AtomicUsize,
    cache: Option<Redis>,
}

#[derive(Serialize)]
struct Location {
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Garden {
    id: String,
    owner_id: String,
    name: String,
    location: Option<Location>,
    area_square_metres: Option<f64>,
    public: bool,
    created_at: String,
    updated_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reading {
    sensor_type: String,
    value: f64,
    measured_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Readings {
    readings: Vec<Reading>,
}

#[derive(Serialize)]
struct Outcome {
    accepted: usize,
    duplicates: usize,
    rejected: [u8; 0],
}

impl Stores {
    /// With a cache, if `redis` is given.
    pub async fn connect(url: &str, redis: Option<&str>) -> Result<Stores, Failure> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            let (garden, insert) = (client.prepare(GARDEN).await?, client.prepare(INSERT).await?);
            connections.push(Connection { client, garden, insert });
        }
        let cache = match redis {
            Some(url) => Some(Redis::connect(url).await?),
            None => None,
        };
        Ok(Stores { connections, next: AtomicUsize::new(0), cache })
    }

    fn connection(&self, count: usize) -> &Connection {
        &self.connections[self.next.fetch_add(1, Ordering::Relaxed) % count]
    }

    pub async fn garden(&self, id: &str) -> Result<Bytes, Failure> {
        let Some(cache) = &self.cache else { return Ok(self.load_garden(id).await?.into()) };
        let key = ["bench:hyper:", id].concat();
        if let Some(body) = cache.get(&key).await? {
            return Ok(body);
        }
        let body = self.load_garden(id).await?;
        cache.set(&key, &body, CACHE_SECONDS).await?;
        Ok(body.into())
    }

    async fn load_garden(&self, id: &str) -> Result<Vec<u8>, Failure> {
        let connection = self.connection(READERS);
        let row = connection.client.query_one(&connection.garden, &[&id]).await?;
        let (latitude, longitude): (Option<f64>, Option<f64>) = (row.get(3), row.get(4));
        let time = |column| row.get::<_, DateTime<Utc>>(column).to_rfc3339_opts(SecondsFormat::Millis, true);
        Ok(serde_json::to_vec(&Garden {
            id: row.get(0),
            owner_id: row.get(1),
            name: row.get(2),
            location: latitude.zip(longitude).map(|(latitude, longitude)| Location { latitude, longitude }),
            area_square_metres: row.get(5),
            public: row.get(6),
            created_at: time(7),
            updated_at: time(8),
        })?)
    }

    pub async fn add_readings(&self, device: &str, request: Request<Body>) -> Result<Vec<u8>, Failure> {
        let Readings { readings } = serde_json::from_slice(&body::to_bytes(request.into_body()).await?)?;
        let types: Vec<&str> = readings.iter().map(|reading| reading.sensor_type.as_str()).collect();
        let times: Vec<DateTime<Utc>> = readings.iter().map(|reading| reading.measured_at).collect();
        let values: Vec<f64> = readings.iter().map(|reading| reading.value).collect();
        let connection = self.connection(CONNECTIONS);
        let accepted =
            connection.client.execute(&connection.insert, &[&device, &types, &times, &values]).await? as usize;
        Ok(serde_json::to_vec(&Outcome { accepted, duplicates: readings.len() - accepted, rejected: [] })?)
    }
}
