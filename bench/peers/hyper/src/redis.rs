//! A small client for Redis: one connection that all tasks share.
//!
//! A task hands its command to the connection's own task, which sends all commands since its last turn in one write
//! and passes the replies back in order, each as a slice of what was read, without a copy.

use crate::stores::Failure;
use bytes::{Buf, Bytes, BytesMut};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

const READ_BYTES: usize = 64 * 1024;

/// A value, or none for null and for replies without a value, such as OK.
type Reply = Result<Option<Bytes>, String>;

struct Command {
    bytes: Vec<u8>,
    reply: oneshot::Sender<Reply>,
}

#[derive(Clone)]
pub struct Redis {
    commands: mpsc::UnboundedSender<Command>,
}

impl Redis {
    /// Connects to `redis://:password@host:port/0`, the only form that the benchmark uses.
    pub async fn connect(url: &str) -> Result<Redis, Failure> {
        let rest = url.strip_prefix("redis://").ok_or("REDIS_URL is not a redis:// URL")?;
        let (credentials, place) = rest.split_once('@').unwrap_or(("", rest));
        let socket = TcpStream::connect(place.split('/').next().unwrap_or(place)).await?;
        socket.set_nodelay(true)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(serve(socket, receiver));
        let redis = Redis { commands: sender };
        if let Some(password) = credentials.strip_prefix(':') {
            redis.send(&[b"AUTH", password.as_bytes()]).await?;
        }
        Ok(redis)
    }

    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Failure> {
        self.send(&[b"GET", key.as_bytes()]).await
    }

    pub async fn set(&self, key: &str, value: &[u8], seconds: &str) -> Result<(), Failure> {
        self.send(&[b"SET", key.as_bytes(), value, b"EX", seconds.as_bytes()]).await.map(|_| ())
    }

    async fn send(&self, arguments: &[&[u8]]) -> Result<Option<Bytes>, Failure> {
        let mut bytes = Vec::with_capacity(128);
        append_head(&mut bytes, b'*', arguments.len());
        for argument in arguments {
            append_head(&mut bytes, b'$', argument.len());
            bytes.extend_from_slice(argument);
            bytes.extend_from_slice(b"\r\n");
        }
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command { bytes, reply }).map_err(|_| "the connection to Redis is gone")?;
        Ok(answer.await??)
    }
}

fn append_head(bytes: &mut Vec<u8>, kind: u8, mut number: usize) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    while first == digits.len() || number > 0 {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    bytes.push(kind);
    bytes.extend_from_slice(&digits[first..]);
    bytes.extend_from_slice(b"\r\n");
}

/// The connection's task. When it ends, the dropped senders tell the waiting tasks.
async fn serve(mut socket: TcpStream, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut waiting: VecDeque<oneshot::Sender<Reply>> = VecDeque::new();
    let (mut input, mut output) = (BytesMut::with_capacity(READ_BYTES), Vec::new());
    loop {
        input.reserve(READ_BYTES / 2);
        tokio::select! {
            command = commands.recv() => {
                let mut next = command;
                while let Some(command) = next {
                    output.extend_from_slice(&command.bytes);
                    waiting.push_back(command.reply);
                    next = commands.try_recv().ok();
                }
                if output.is_empty() || socket.write_all(&output).await.is_err() {
                    return;
                }
                output.clear();
            }
            read = socket.read_buf(&mut input) => {
                if read.unwrap_or(0) == 0 {
                    return;
                }
                while let Some(reply) = take_reply(&mut input) {
                    let Some(waiter) = waiting.pop_front() else { return };
                    let _ = waiter.send(reply);
                }
            }
        }
    }
}

/// Takes a whole reply off, if there is one: of RESP2, the types that GET, SET and AUTH answer with.
fn take_reply(input: &mut BytesMut) -> Option<Reply> {
    let end = input.iter().position(|&byte| byte == b'\n')? + 1;
    let line = std::str::from_utf8(&input[1..end - 2]).unwrap_or("not text");
    let reply = match (input[0], line.parse::<i64>()) {
        (b'$', Ok(-1)) | (b'+', _) => Ok(None),
        (b'$', Ok(length)) => {
            let length = length as usize;
            if input.len() < end + length + 2 {
                return None;
            }
            input.advance(end);
            let value = input.split_to(length).freeze();
            input.advance(2);
            return Some(Ok(Some(value)));
        }
        _ => Err(format!("Redis answered {line}")),
    };
    input.advance(end);
    Some(reply)
}
