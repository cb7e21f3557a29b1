using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

/// <summary>The file after <c>--changed-extents</c>.</summary>
internal static class ChangedExtentsFile
{
    /// <summary>Reads it whole.</summary>
    /// <exception cref="CommandException">There is no such file, or one of its lines is no extent of the volume.</exception>
    public static async Task<IReadOnlyList<VolumeExtent>> ReadAsync(string path, FileVolume volume, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            throw new CommandException(ExitCodes.NotFound, $"there is no file {path}");
        try
        {
            using StreamReader reader = new(path);
            IReadOnlyList<VolumeExtent> extents = await ChangedExtents.ReadAsync(reader, cancellationToken);
            foreach (VolumeExtent extent in extents)
            {
                if (extent.Offset > volume.SizeBytes || extent.Length > volume.SizeBytes - extent.Offset)
                    throw new CommandException(ExitCodes.Failed, $"{path}: the {extent.Length} bytes from {extent.Offset} are not within {volume.Name}, which has {volume.SizeBytes} bytes");
            }

            return extents;
        }
        catch (ChangedExtentsFormatException e)
        {
            throw new CommandException(ExitCodes.Failed, $"{path}: {e.Message}", e);
        }
    }
}
