using System.Globalization;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Reads from the environment how often intents are refreshed and when they are stale. There are no options for it because all processes that use a store need the same times.</summary>
internal static class IntentEnvironment
{
    private const string Refresh = "BACKUP_ENGINE_INTENT_REFRESH";
    private const string Stale = "BACKUP_ENGINE_INTENT_STALE";

    /// <exception cref="CommandException">A variable is not a time span, or the two do not fit each other.</exception>
    public static RepositoryOptions Apply(RepositoryOptions options)
    {
        TimeSpan interval = Read(Refresh) ?? options.IntentRefreshInterval;
        TimeSpan staleAfter = Read(Stale) ?? options.IntentStaleAfter;
        return interval > TimeSpan.Zero && staleAfter / 2 >= interval
            ? options with { IntentRefreshInterval = interval, IntentStaleAfter = staleAfter }
            : throw new CommandException(
                ExitCodes.WrongUsage, $"Intents are refreshed every {interval} ({Refresh}) and are stale after {staleAfter} ({Stale}): the first must be above zero, and the second at least twice the first.");
    }

    private static TimeSpan? Read(string name)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0 ? TimeSpan.FromSeconds(seconds)
            : TimeSyntax.TryParseSpan(text, out TimeSpan span, out _) ? span
            : throw new CommandException(ExitCodes.WrongUsage, $"{name} is '{text}': write seconds, or a whole number and m, h or d, such as 5m");
    }
}
