using System.CommandLine;
using BackupEngine.Limits;

namespace BackupEngine.Cli.CommandLine;

/// <summary>The options that bound what a command takes of disk and network.</summary>
internal static class LimitSyntax
{
    /// <summary>Of a command that reads a volume.</summary>
    public static Option<long?> Read { get; } = Rate("--limit-read", "Read no more than so much of the volume in a second, such as 100MiB/s.");

    /// <summary>Of a command that sends data to the store.</summary>
    public static Option<long?> Upload { get; } = Rate("--limit-upload", "Send no more than so much to the store in a second, such as 50MiB/s.");

    /// <summary>Of a command that fetches data from the store.</summary>
    public static Option<long?> Download { get; } = Rate("--limit-download", "Fetch no more than so much from the store in a second, such as 50MiB/s.");

    /// <summary>What a command was given; null when it was given none of them.</summary>
    public static OperationLimits? LimitsOf(ParseResult parsed)
    {
        OperationLimitOptions options = new()
        {
            ReadBytesPerSecond = parsed.GetValue(Read),
            UploadBytesPerSecond = parsed.GetValue(Upload),
            DownloadBytesPerSecond = parsed.GetValue(Download),
        };
        return options == new OperationLimitOptions() ? null : new OperationLimits(options);
    }

    private static Option<long?> Rate(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "RATE",
        CustomParser = Parsers.OfNullable<long>(RateSyntax.TryParse),
    };
}
