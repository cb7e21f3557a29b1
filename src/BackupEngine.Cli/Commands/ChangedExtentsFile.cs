using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

/// <summary>The file after <c>--changed-extents</c>.</summary>
internal static class ChangedExtentsFile
{
    /// <summary>Reads it whole.</summary>
    /// <exception cref="CommandException">There is no such file, or one of its lines is no extent.</exception>
    public static async Task<IReadOnlyList<VolumeExtent>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            throw new CommandException(ExitCodes.NotFound, $"there is no file {path}");
        try
        {
            using StreamReader reader = new(path);
            return await ChangedExtents.ReadAsync(reader, cancellationToken);
        }
        catch (ChangedExtentsFormatException e)
        {
            throw new CommandException(ExitCodes.Failed, $"{path}: {e.Message}", e);
        }
    }
}
