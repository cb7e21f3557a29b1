using System.CommandLine;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;
using BackupEngine.Compression;
using BackupEngine.Hashing;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

internal sealed class BackupCommand : EngineCommand
{
    private readonly Argument<string> _volume = new("VOLUME") { Description = "The block device or disk image to back up. It must not change meanwhile." };
    private readonly Option<string> _volumeId = BackupOptionSyntax.VolumeId();
    private readonly Option<bool> _incremental = new("--incremental") { Description = "Store only what differs from the volume's available backup that was stored last." };
    private readonly Option<string> _parent = new("--parent") { Description = "Incremental to this backup instead: its id or the first characters of it.", HelpName = "ID" };
    private readonly Option<string> _name = new("--name") { Description = "A name for people.", HelpName = "NAME" };
    private readonly Option<string> _description = new("--description") { Description = "A text for people.", HelpName = "TEXT" };
    private readonly Option<ChunkCompression?> _compression = BackupOptionSyntax.Compression();
    private readonly Option<int?> _chunkSize = BackupOptionSyntax.ChunkSize();
    private readonly Option<ChunkHash?> _hash = BackupOptionSyntax.Hash();
    private readonly Option<int?> _workers = BackupOptionSyntax.Workers();
    private readonly Option<long?> _maxMemory = BackupOptionSyntax.MaxMemory();
    private readonly Option<string> _changedExtents = new("--changed-extents")
    {
        Description = "Lines 'OFFSET LENGTH' in bytes: all that may have changed since the backup --parent, which must be named by its id. Only these are read.",
        HelpName = "FILE",
    };

    private readonly Option<Guid?> _resume = BackupOptionSyntax.Resume();
    private readonly Option<bool> _noResume = new("--no-resume") { Description = "Do not look for a backup of the volume that was cut off." };
    private readonly Option<bool> _allowInconsistent = new("--allow-inconsistent")
    {
        Description = "Back the volume up although it is mounted, in use, or changes meanwhile. The backup is marked as inconsistent.",
    };

    private readonly Option<bool> _readHoles = new("--read-holes")
    {
        Description = "Read holes like data, for storage that reports holes that it does not have (ZFS before 2.2.2, some FUSE file systems).",
    };

    private readonly Option<bool> _noCreate = new("--no-create") { Description = "Fail when the directory or bucket of --store does not exist, instead of making it." };

    public BackupCommand()
        : base(
            "backup",
            "Backs up a volume: whole, or with --incremental only what changed.",
            "backup-engine backup /dev/vg/data --store /backups --name sunday",
            "backup-engine backup /dev/vg/data --store /backups --incremental",
            "backup-engine backup disk.img --store s3://bucket/disks --compression zstd:3")
    {
        Arguments.Add(_volume);
        foreach (Option option in (Option[])[SharedOptions.Store, _volumeId, _incremental, _parent, _name, _description, _compression, _chunkSize, _hash, _workers, _maxMemory, LimitSyntax.Read, LimitSyntax.Upload, LimitSyntax.Download, _changedExtents, _resume, _noResume, _allowInconsistent, _readHoles, _noCreate, SingleWriterSyntax.Option])
            Options.Add(option);
        Validators.Add(result =>
        {
            // Not 'latest': when the backup that was compared with is damaged or deleted, 'latest' is an earlier one, and the list misses what changed in between.
            if (result.GetValue(_changedExtents) is not null && result.GetValue(_parent) is null or BackupReference.Latest)
                result.AddError("--changed-extents says what changed since one backup: name that backup with --parent ID. 'latest' can be another one.");
        });
    }

    protected override string CancelledMessage => "cancelled; no backup was made";

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        string path = context.GetRequired(_volume);
        // The volume first: a mistyped one must not leave an empty repository behind.
        await using FileVolume volume = FileVolume.OpenRead(path);
        IReadOnlyList<VolumeExtent>? changed = context.Get(_changedExtents) is { } file ? await ChangedExtentsFile.ReadAsync(file, volume, cancellationToken) : null;
        string volumeId = context.Get(_volumeId) ?? VolumeIds.FromPath(path).ToString();

        await using OpenedRepository opened = await OpenedRepository.OpenOrCreateAsync(context, createContainer: !context.Get(_noCreate), cancellationToken);
        BackupRepository repository = opened.Repository;
        Guid? parentId = context.Get(_parent) is { } parent ? (await repository.FindAsync(parent, volumeId, cancellationToken)).Id : null;
        BackupOptions options = new()
        {
            VolumeId = volumeId,
            Name = context.Get(_name),
            Description = context.Get(_description),
            Incremental = context.Get(_incremental),
            ParentId = parentId,
            Compression = context.Get(_compression) ?? ChunkCompression.Lz4,
            ChunkSize = context.Get(_chunkSize),
            Hash = context.Get(_hash),
            Workers = context.Get(_workers),
            ChangedExtents = changed,
            Resume = !context.Get(_noResume),
            ResumeId = context.Get(_resume),
            AllowInconsistent = context.Get(_allowInconsistent),
            ReadHoles = context.Get(_readHoles),
        };
        if (context.Get(_maxMemory) is { } maxMemory)
            options = options with { MaxMemoryBytes = maxMemory };

        Backup backup = await context.WithProgressAsync("Backup", progress => repository.BackupAsync(volume, options, progress, cancellationToken));
        if (context.Json)
            CliJson.Print(CliJson.Record(backup, repository.Requests));
        else
            Print(path, backup);
        return ExitCodes.Done;
    }

    private static void Print(string path, Backup backup)
    {
        string kind = backup.ParentId is { } parent ? $"incremental backup {backup.Id}, parent {parent}" : $"full backup {backup.Id}";
        Console.Out.WriteLine($"Backed up {path}: {kind}, volume {backup.VolumeId}");
        Console.Out.WriteLine(
            $"{ByteText.Of(backup.SizeBytes)} in {ByteText.Duration(backup.DurationSeconds)} ({ByteText.Rate(backup.SizeBytes, backup.DurationSeconds)}): "
            + $"read {ByteText.Of(backup.BytesRead)}, changed {ByteText.Of(backup.BytesChanged)}, stored {ByteText.Of(backup.BytesStored)}");
    }
}
