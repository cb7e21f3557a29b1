using System.CommandLine;
using BackupEngine.Cli.Commands;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Options and arguments that several commands have: declared once, so that they mean one thing everywhere.</summary>
internal static class SharedOptions
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the result (or the error) as one JSON document on stdout.",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Log what happens to stderr, and show the stack trace of an error.",
        Recursive = true,
    };

    public static Option<StoreAddress> Store { get; } = new("--store", "-s")
    {
        Description = "Where the backups are: a directory, file:///directory, or s3://bucket/prefix.",
        HelpName = "STORE",
        Required = true,
        CustomParser = Parsers.Of<StoreAddress>(StoreAddress.TryParse),
    };

    public static Option<string> VolumeId { get; } = new("--volume-id")
    {
        Description = "Only this volume's backups.",
        HelpName = "ID",
        CustomParser = Parsers.Of<string>(VolumeIdSyntax.TryParse),
    };

    /// <summary>A backup that must be named.</summary>
    public static Argument<string> Backup { get; } = new("BACKUP")
    {
        Description = "The backup: its id, the first characters of it (4 or more), or 'latest'.",
        CustomParser = Parsers.Of<string>(BackupReference.TryParse),
    };
}
