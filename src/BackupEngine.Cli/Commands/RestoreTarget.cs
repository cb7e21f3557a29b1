using BackupEngine.Catalog;
using BackupEngine.Cli.Output;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

/// <summary>Where a backup is restored to: a file that the command makes, and unmakes when it fails, or what was there before.</summary>
internal sealed class RestoreTarget : IAsyncDisposable
{
    private RestoreTarget(string path, FileVolume volume, bool isNew)
    {
        Path = path;
        Volume = volume;
        IsNew = isNew;
    }

    /// <summary>As the user wrote it.</summary>
    public string Path { get; }

    public FileVolume Volume { get; }

    /// <summary>Whether the command made the file.</summary>
    public bool IsNew { get; }

    /// <summary>Opens the target, or creates it with the volume's size when there is none.</summary>
    /// <exception cref="CommandException">It cannot hold what is to be restored, or cannot be made.</exception>
    public static RestoreTarget Open(string path, Backup backup, VolumeExtent? range, bool allowInUse)
    {
        if (Directory.Exists(path))
            throw new CommandException(ExitCodes.Failed, $"{path} is a directory; --to needs a file or a block device");
        if (!File.Exists(path))
            return Create(path, backup);

        FileVolume volume = FileVolume.OpenWrite(path, allowInUse);
        long needed = range?.End ?? backup.SizeBytes;
        return volume.SizeBytes >= needed
            ? new RestoreTarget(path, volume, isNew: false)
            : throw new CommandException(
                ExitCodes.Failed,
                $"{path} has {volume.SizeBytes} bytes, but backup {backup.Id} needs {needed} ({ByteText.Of(needed)}); enlarge it, or restore to another target");
    }

    /// <summary>After a failed restore: removes the file that was made for it.</summary>
    /// <returns>The error to report: <paramref name="cause"/>, and what became of the target.</returns>
    public async Task<CommandException> AbandonAsync(Exception cause, CancellationToken cancellationToken)
    {
        bool cancelled = cause is OperationCanceledException && cancellationToken.IsCancellationRequested;
        string message = cancelled ? "cancelled" : ErrorReport.MessageOf(cause);
        string outcome = $"{Path} may now be part old, part restored{(cancelled ? ": restore to it again" : "")}";
        if (IsNew)
        {
            await Volume.DisposeAsync();
            outcome = Remove();
        }

        return new CommandException(ExitCodes.Of(cause, cancelled), $"{message}; {outcome}", cause);
    }

    public ValueTask DisposeAsync() => Volume.DisposeAsync();

    private string Remove()
    {
        try
        {
            File.Delete(Path);
            return $"the unfinished {Path} was removed";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the unfinished {Path} could not be removed ({e.Message})";
        }
    }

    private static RestoreTarget Create(string path, Backup backup)
    {
        string full = System.IO.Path.GetFullPath(path);
        // A mistyped device would otherwise become a file in the memory behind /dev.
        if (full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal))
            throw new CommandException(ExitCodes.NotFound, $"there is no device {path}");
        if (System.IO.Path.GetDirectoryName(full) is { } parent && !Directory.Exists(parent))
            throw new CommandException(ExitCodes.NotFound, $"there is no directory {parent} to create {path} in");
        return new RestoreTarget(path, FileVolume.Create(path, backup.SizeBytes), isNew: true);
    }
}
