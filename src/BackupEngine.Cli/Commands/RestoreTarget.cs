using BackupEngine.Catalog;
using BackupEngine.Cli.Output;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

/// <summary>
/// Where a backup is restored to. A new file has another name until it is complete, and keeps that when the restore fails, so that the next restore to it continues there.
/// </summary>
internal sealed class RestoreTarget : IAsyncDisposable
{
    private const string PartialSuffix = ".partial";

    private RestoreTarget(string path, FileVolume volume)
    {
        Path = path;
        Volume = volume;
    }

    /// <summary>As the user wrote it.</summary>
    public string Path { get; }

    public FileVolume Volume { get; }

    /// <summary>Whether the command makes the file.</summary>
    public bool IsNew { get; private init; }

    /// <summary>Whether the file is new and an earlier restore has begun it: it holds anything until it has been compared.</summary>
    public bool IsResumed { get; private init; }

    private string PartialPath => Path + PartialSuffix;

    /// <summary>Opens the target; begins a new file, or goes on with one that was begun, when there is none.</summary>
    /// <param name="path">The target.</param>
    /// <param name="backup">What is to be restored.</param>
    /// <param name="range">The bytes to restore; null for all.</param>
    /// <param name="allowInUse">Whether to write to an image that others use.</param>
    /// <param name="discardPartial">Whether to begin anew where an earlier restore was interrupted.</param>
    /// <exception cref="CommandException">It cannot hold what is to be restored, or cannot be made.</exception>
    public static async Task<RestoreTarget> OpenAsync(string path, Backup backup, VolumeExtent? range, bool allowInUse, bool discardPartial)
    {
        if (Directory.Exists(path))
            throw new CommandException(ExitCodes.Failed, $"{path} is a directory; --to needs a file or a block device");
        if (!File.Exists(path))
            return await BeginAsync(path, backup, range, discardPartial);

        FileVolume volume = FileVolume.OpenWrite(path, allowInUse);
        long needed = range?.End ?? backup.SizeBytes;
        if (volume.SizeBytes >= needed)
            return new RestoreTarget(path, volume);
        await volume.DisposeAsync();
        throw new CommandException(
            ExitCodes.Failed, $"{path} has {volume.SizeBytes} bytes, but backup {backup.Id} needs {needed} ({ByteText.Of(needed)}); enlarge it, or restore to another target");
    }

    /// <summary>After a restore that succeeded: gives a new file its name.</summary>
    /// <exception cref="CommandException">Something has that name by now, or the file cannot be renamed.</exception>
    public async Task CompleteAsync()
    {
        if (!IsNew)
            return;
        try
        {
            // An open file cannot be renamed on Windows.
            if (OperatingSystem.IsWindows())
                await Volume.DisposeAsync();
            File.Move(PartialPath, Path, overwrite: false);
            if (!OperatingSystem.IsWindows())
                await Volume.FlushAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Failed, $"the restored volume is complete in {PartialPath}, but could not be renamed to {Path}: {e.Message}", e);
        }
    }

    /// <summary>After a failed restore: keeps what was restored to a new file.</summary>
    /// <returns>The error to report: <paramref name="cause"/>, and what became of the target.</returns>
    public async Task<CommandException> AbandonAsync(Exception cause, CancellationToken cancellationToken)
    {
        bool cancelled = cause is OperationCanceledException && cancellationToken.IsCancellationRequested;
        string message = cancelled ? "cancelled" : ErrorReport.MessageOf(cause);
        string outcome = IsNew ? await KeepAsync() : $"{Path} may now be part old, part restored{(cancelled ? ": restore to it again" : "")}";
        return new CommandException(ExitCodes.Of(cause, cancelled), $"{message}; {outcome}", cause);
    }

    public ValueTask DisposeAsync() => Volume.DisposeAsync();

    private async Task<string> KeepAsync()
    {
        try
        {
            bool isEmpty = await Volume.FindAllocatedAsync(0) is null;
            await Volume.DisposeAsync();
            if (!isEmpty)
                return $"what was restored is in {PartialPath}: run the same command again to continue, or remove that file";
            File.Delete(PartialPath);
            return $"nothing was restored to {Path}";
        }
        catch (Exception e) when (e is VolumeException or IOException or UnauthorizedAccessException)
        {
            return $"{PartialPath} was left ({e.Message})";
        }
    }

    private static async Task<RestoreTarget> BeginAsync(string path, Backup backup, VolumeExtent? range, bool discardPartial)
    {
        string full = System.IO.Path.GetFullPath(path);
        // A mistyped device would otherwise become a file in the memory behind /dev.
        if (full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal))
            throw new CommandException(ExitCodes.NotFound, $"there is no device {path}");
        if (System.IO.Path.GetDirectoryName(full) is { } parent && !Directory.Exists(parent))
            throw new CommandException(ExitCodes.NotFound, $"there is no directory {parent} to create {path} in");

        string partial = path + PartialSuffix;
        if (!File.Exists(partial))
            return new RestoreTarget(path, FileVolume.Create(partial, backup.SizeBytes)) { IsNew = true };

        if (new FileInfo(partial).LinkTarget is not null)
            throw new CommandException(ExitCodes.Failed, $"{partial} is a symbolic link; remove it");

        // Opened first: one that another restore is writing to is refused.
        FileVolume begun = FileVolume.OpenWrite(partial);
        if (!discardPartial && range is null && begun.SizeBytes == backup.SizeBytes)
            return new RestoreTarget(path, begun) { IsNew = true, IsResumed = true };
        await begun.DisposeAsync();
        if (!discardPartial)
        {
            string problem = range is null ? $"has {begun.SizeBytes} bytes, but backup {backup.Id} has {backup.SizeBytes}" : "cannot be continued with --range";
            throw new CommandException(ExitCodes.RefusedByState, $"{partial} is left of a restore that was interrupted, and {problem}; remove it, or use --discard-partial");
        }

        File.Delete(partial);
        return new RestoreTarget(path, FileVolume.Create(partial, backup.SizeBytes)) { IsNew = true };
    }
}
