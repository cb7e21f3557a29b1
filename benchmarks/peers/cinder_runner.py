"""Runs one step of Cinder's posix backup driver: full, incremental or restore. What Cinder keeps in its database is in a small JSON file.

Arguments: step, volume, store, database, compression. Prints the time that the driver took as JSON.
"""

import eventlet

eventlet.monkey_patch()

# Cinder must be imported after the patch, as its own service does.
import contextlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import uuid  # noqa: E402

from cinder import context, objects  # noqa: E402
from cinder.backup.drivers import posix  # noqa: E402
from cinder.objects import fields  # noqa: E402
from cinder.volume import volume_utils  # noqa: E402
from oslo_config import cfg  # noqa: E402

VOLUME_ID = "c7a1f4f6-6f41-4c6c-8a54-2b0b9b7f3d0a"
# The size of objects in Cinder's S3 and Swift drivers. The posix driver's own, 2 GB, would hold that much in memory, twice.
OBJECT_BYTES = 52428800


class StubBackup:
    """A backup as the driver sees it, without a database behind it."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __getitem__(self, name):
        return getattr(self, name)

    def save(self):
        """Nothing: the runner writes the file when the step has ended."""

    def refresh(self):
        """Nobody else changes it."""

    @contextlib.contextmanager
    def as_read_deleted(self):
        yield


class StubDatabase:
    """Answers what the driver asks of a volume."""

    def __init__(self, size_gib):
        self._size_gib = size_gib

    def volume_get(self, _context, _volume_id):
        return {"size": self._size_gib}


def load(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [StubBackup(**values) for values in json.load(file)]


def store(path, backups):
    with open(path, "w") as file:
        json.dump([vars(backup) for backup in backups], file)


def new_backup(parent, size_gib):
    return StubBackup(
        id=str(uuid.uuid4()), volume_id=VOLUME_ID, parent_id=parent.id if parent else None, container=None, service_metadata=None,
        display_name="comparison", display_description="", created_at="2024-01-01T00:00:00", size=size_gib, object_count=0,
        status=fields.BackupStatus.CREATING)


def main(step, volume, directory, database, compression):
    cfg.CONF(args=[], project="cinder", default_config_files=[])
    cfg.CONF.set_override("backup_compression_algorithm", compression)
    cfg.CONF.set_override("backup_file_size", OBJECT_BYTES)
    # The driver's base class connects to a database when it is made: one in memory, which stays empty.
    cfg.CONF.set_override("connection", "sqlite://", group="database")
    volume_utils.notify_about_backup_usage = lambda *_, **__: None
    objects.register_all()
    backups = load(database)
    objects.Backup.get_by_id = lambda _context, backup_id: next(backup for backup in backups if backup.id == backup_id)
    driver = posix.PosixBackupDriver(context.get_admin_context(), backup_path=directory)
    size_gib = -(-os.path.getsize(volume) // 2**30)
    driver.db = StubDatabase(size_gib)

    began, usage_before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    # The manager hands the driver a file whose calls run in native threads.
    with open(volume, "r+b" if step == "restore" else "rb") as file:
        proxy = eventlet.tpool.Proxy(file)
        if step == "restore":
            backup = backups[-1]
            backup.status = fields.BackupStatus.RESTORING
            driver.restore(backup, VOLUME_ID, proxy)
        else:
            backup = new_backup(backups[-1] if step == "incremental" else None, size_gib)
            driver.backup(backup, proxy, backup_metadata=False)
            backups.append(backup)
    seconds = time.monotonic() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)

    backup.status = fields.BackupStatus.AVAILABLE
    store(database, backups)
    cpu = usage.ru_utime + usage.ru_stime - usage_before.ru_utime - usage_before.ru_stime
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
