using System.Globalization;

namespace BackupEngine.Service.Load;

/// <summary>What is asked of the service.</summary>
internal sealed record LoadOptions
{
    public int Backups { get; private init; } = 100_000;

    public int RequestsPerSecond { get; private init; } = 500;

    public int Seconds { get; private init; } = 30;

    /// <summary>The server to ask; null makes one on this machine.</summary>
    public string? Address { get; private init; }

    public static LoadOptions Parse(string[] arguments)
    {
        LoadOptions options = new();
        for (int i = 0; i + 1 < arguments.Length; i += 2)
        {
            string value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--backups" => options with { Backups = int.Parse(value, CultureInfo.InvariantCulture) },
                "--rate" => options with { RequestsPerSecond = int.Parse(value, CultureInfo.InvariantCulture) },
                "--seconds" => options with { Seconds = int.Parse(value, CultureInfo.InvariantCulture) },
                "--address" => options with { Address = value },
                _ => throw new ArgumentException($"{arguments[i]}: --backups, --rate, --seconds or --address is meant."),
            };
        }

        return options;
    }
}
