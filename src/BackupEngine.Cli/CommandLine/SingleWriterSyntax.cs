using System.CommandLine;
using System.CommandLine.Parsing;

namespace BackupEngine.Cli.CommandLine;

/// <summary>The option by which a store that does not honour conditions may be written to.</summary>
internal static class SingleWriterSyntax
{
    /// <summary>The environment variable that stands for the option.</summary>
    public const string Variable = "BACKUP_ENGINE_SINGLE_WRITER";

    public static Option<bool> Option { get; } = new("--single-writer")
    {
        Description = "Write to a store that does not honour conditional puts. You promise that no other process writes to it. "
            + $"Interrupted backups are not adopted, prune is refused, and so is delete beside other operations. Also {Variable}=true.",
        DefaultValueFactory = ReadVariable,
    };

    private static bool ReadVariable(ArgumentResult result)
    {
        switch (Environment.GetEnvironmentVariable(Variable)?.ToLowerInvariant())
        {
            case "1" or "true" or "yes":
                return true;
            case null or "" or "0" or "false" or "no":
                return false;
            default:
                result.AddError($"The environment variable {Variable} must be true or false.");
                return false;
        }
    }
}
