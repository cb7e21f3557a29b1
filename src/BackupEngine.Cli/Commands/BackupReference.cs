using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;

namespace BackupEngine.Cli.Commands;

/// <summary>What the user calls a backup: an id, the first characters of one, or <c>latest</c>.</summary>
internal static class BackupReference
{
    public const string Latest = "latest";

    /// <summary>Refuses the empty string, which scripts pass when a variable is not set.</summary>
    public static bool TryParse(string text, out string reference, out string problem)
    {
        reference = text;
        problem = $"'{text}' is no backup: write its id, the first characters of it, or '{Latest}'.";
        return !string.IsNullOrWhiteSpace(text);
    }

    /// <summary>Finds the backup that the arguments name, of the volume of <c>--volume-id</c> when that was given.</summary>
    /// <exception cref="BackupNotFoundException">There is none.</exception>
    /// <exception cref="AmbiguousBackupException">Several begin so.</exception>
    /// <exception cref="CommandException">Several volumes have a latest one.</exception>
    public static async Task<Backup> FindBackupAsync(this BackupRepository repository, string reference, CommandContext context, CancellationToken cancellationToken)
    {
        string? volumeId = context.Get(SharedOptions.VolumeId);
        try
        {
            return await repository.FindAsync(reference, volumeId, cancellationToken);
        }
        catch (AmbiguousBackupException e) when (reference == Latest && volumeId is null)
        {
            throw new CommandException(ExitCodes.WrongUsage, $"{e.Message} Add --volume-id; 'backup-engine list' shows the ids.", e);
        }
    }
}
