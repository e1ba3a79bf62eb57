//! Clients of databases: what somebody meets who knows a host name. Doors for tests and the demo; no engine runs.
//!
//! A name is resolved, the security groups let the client in or not, the database runs or doesn't, and takes writes or not:
//! in this order, as on the way to a real one.

use super::rows;
use super::storage::{cluster_endpoint, endpoint, reader_endpoint};
use super::{Databases, Place};
use crate::moment::Moment;
use crate::world::World;

/// What a client is told, or finds out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// DNS has no such name, or not yet: about ten minutes after a rename. [RDS: Renaming a DB instance]
    #[error("the name {0} does not resolve")]
    NoSuchName(String),
    /// The security groups let nobody in: packets are dropped.
    #[error("the connection timed out")]
    TimedOut,
    /// Nothing listens: the database is in this status.
    #[error("connection refused: the database is {0}")]
    Refused(&'static str),
    /// A replica, a reader, or the green side of a blue/green deployment.
    #[error("the database is read-only")]
    ReadOnly,
    /// A switch-over holds writes back. [RDS: Switching a blue/green deployment]
    #[error("a switchover is in progress: writes are blocked")]
    SwitchingOver,
    /// The connection was closed by the server's restart, rename or end.
    #[error("the connection is closed")]
    Closed,
}

/// A connection that is open until it is closed by either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    place: Place,
    number: u64,
}

/// The server's side of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// The instance's resource id.
    pub(super) instance: String,
}

/// Statuses in which an instance serves clients. [RDS: Viewing DB instance status]
const SERVING: &[&str] = &[
    "available",
    "backing-up",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "maintenance",
    "modifying",
    "renaming",
    "resetting-master-credentials",
    "storage-config-upgrade",
    "storage-initialization",
    "storage-optimization",
];

impl super::instances::Instance {
    /// It serves clients.
    pub(super) fn runs(&self) -> bool {
        SERVING.contains(&self.status)
    }
}

impl Databases {
    /// Closes all connections to an instance, as a restart does.
    pub(super) fn hang_up(&mut self, now: Moment, identifier: &str) {
        let Some(instance) = self.instances.get(identifier) else { return };
        let id = instance.resource_id.clone();
        self.clients.retain(|_, client| client.instance != id);
        self.measure(now, identifier);
    }

    /// The instance that a host name (its own, a cluster's or a proxy's), or an identifier, leads to now.
    fn resolve(&self, place: &Place, now: Moment, name: &str) -> Option<&str> {
        let (label, is_host) = name.split_once('.').map_or((name, false), |(label, _)| (label, true));
        let of_instance = || {
            let instance = self.instances.get(label).filter(|one| one.resolves_from <= now)?;
            (!is_host || name == endpoint(place, label)).then_some(instance.identifier.as_str())
        };
        let of_cluster = || {
            let cluster = self.clusters.get(label).filter(|one| one.resolves_from <= now)?;
            let running = |name: &&String| self.instances.get(*name).is_some_and(super::instances::Instance::runs);
            let reader = cluster.members.iter().skip(1).find(running);
            let is_writer = !is_host || name == cluster_endpoint(place, label);
            match is_writer {
                true => cluster.members.first(),
                false if name == reader_endpoint(place, label) => reader.or(cluster.members.first()),
                false => None,
            }
            .map(String::as_str)
        };
        let of_proxy = || {
            let proxy = self.proxies.get(label).filter(|_| name == super::proxies::endpoint(place, label))?;
            let target = proxy.target.as_ref()?;
            let cluster = || self.clusters.values().find(|one| one.resource_id == *target)?.members.first().map(String::as_str);
            self.instance_of(target).map(|one| one.identifier.as_str()).or_else(cluster)
        };
        of_instance().or_else(of_cluster).or_else(of_proxy)
    }

    /// Somebody may come in by the security groups of an instance: those of its cluster, where it has one. One that lets
    /// people in is enough, for rules of several groups add up. [VPC: Security groups]
    pub(super) fn lets_in(&self, identifier: &str) -> bool {
        let Some(instance) = self.instances.get(identifier) else { return false };
        let cluster = instance.cluster.as_ref().and_then(|name| self.clusters.get(name));
        let groups = cluster.map_or(&instance.security_groups, |cluster| &cluster.security_groups);
        groups.iter().any(|group| !self.closed_groups.contains(group))
    }

    /// What takes an instance's writes: itself or its cluster, by resource id.
    fn writable(&self, identifier: &str) -> Result<String, ClientError> {
        let instance = self.instances.get(identifier).ok_or(ClientError::Closed)?;
        if self.switching.contains(&instance.resource_id) {
            return Err(ClientError::SwitchingOver);
        }
        let Some(cluster) = instance.cluster.as_ref().and_then(|name| self.clusters.get(name)) else {
            let is_read_only = instance.read_only || instance.follows.is_some();
            return if is_read_only { Err(ClientError::ReadOnly) } else { Ok(instance.resource_id.clone()) };
        };
        if self.switching.contains(&cluster.resource_id) {
            return Err(ClientError::SwitchingOver);
        }
        let is_writer = cluster.members.first().is_some_and(|writer| writer == identifier);
        if !is_writer || cluster.read_only || cluster.follows.is_some() {
            return Err(ClientError::ReadOnly);
        }
        Ok(cluster.resource_id.clone())
    }
}

impl World {
    /// A client opens a connection to a database, by the host name that `Describe…` tells, or by the identifier that such a
    /// name begins with, where only one database in the world has it.
    pub fn connect(&mut self, name: &str) -> Result<Connection, ClientError> {
        let now = self.now();
        let (place, identifier) = self.way_to(name)?;
        let databases = self.rds.at(&place);
        if !databases.lets_in(&identifier) {
            return Err(ClientError::TimedOut);
        }
        let instance = databases.instances.get(&identifier).ok_or(ClientError::Closed)?;
        if !instance.runs() {
            return Err(ClientError::Refused(instance.status));
        }
        let client = Client { instance: instance.resource_id.clone() };
        databases.connected += 1;
        let number = databases.connected;
        databases.clients.insert(number, client);
        databases.measure(now, &identifier);
        Ok(Connection { place, number })
    }

    /// The client closes it. One that the server has closed already is left alone.
    pub fn disconnect(&mut self, connection: &Connection) {
        let now = self.now();
        let databases = self.rds.at(&connection.place);
        let Some(client) = databases.clients.remove(&connection.number) else { return };
        let found = databases.instances.values().find(|one| one.resource_id == client.instance);
        if let Some(name) = found.map(|one| one.identifier.clone()) {
            databases.measure(now, &name);
        }
    }

    /// The client writes a row over a connection that is open. A security group that changed since then doesn't close it:
    /// connections that are tracked go on. [EC2: Security group connection tracking]
    pub fn write_on(&mut self, connection: &Connection, row: &str) -> Result<(), ClientError> {
        let now = self.now();
        let databases = self.rds.at(&connection.place);
        let client = databases.clients.get(&connection.number).ok_or(ClientError::Closed)?;
        let found = databases.instances.values().find(|one| one.resource_id == client.instance);
        let identifier = found.map(|one| one.identifier.clone()).ok_or(ClientError::Closed)?;
        let target = databases.writable(&identifier)?;
        if let Some(meter) = databases.meter(&identifier, true) {
            meter.wrote(now);
        }
        rows::write(self, &connection.place, &target, row);
        Ok(())
    }

    /// A client connects, writes a row and leaves: see [`World::connect`] and [`World::write_on`].
    pub fn write_row(&mut self, name: &str, row: &str) -> Result<(), ClientError> {
        let connection = self.connect(name)?;
        let written = self.write_on(&connection, row);
        self.disconnect(&connection);
        written
    }

    /// A client connects, reads what is there and leaves.
    pub fn read_rows(&mut self, name: &str) -> Result<Vec<String>, ClientError> {
        let connection = self.connect(name)?;
        self.disconnect(&connection);
        let (place, identifier) = self.way_to(name)?;
        let now = self.now();
        Ok(self.rds.at(&place).rows_of_instance(&identifier, now).unwrap_or_default())
    }

    /// Connections that are open to an instance, by its ARN.
    pub fn open_connections(&mut self, arn: &str) -> usize {
        let Some((place, _, name)) = super::seed::parts(arn) else { return 0 };
        let databases = self.rds.at(&place);
        let Some(instance) = databases.instances.get(&name) else { return 0 };
        databases.clients.values().filter(|client| client.instance == instance.resource_id).count()
    }

    fn way_to(&self, name: &str) -> Result<(Place, String), ClientError> {
        let now = self.now();
        let found = |(place, databases): (&Place, &Databases)| Some((place.clone(), databases.resolve(place, now, name)?.to_owned()));
        let mut ways = self.rds.places.iter().filter_map(found);
        match (ways.next(), ways.next()) {
            (Some(way), None) => Ok(way),
            (None | Some(_), _) => Err(ClientError::NoSuchName(name.to_owned())),
        }
    }
}
