using System.Globalization;
using BackupEngine.Catalog;

namespace BackupEngine.Cli.Output;

/// <summary>The parts of a record in the form that people read.</summary>
internal static class BackupText
{
    private const int ShortLength = 8;

    /// <summary>The first characters of an id, as commands take it.</summary>
    public static string ShortId(Guid id) => id.ToString()[..ShortLength];

    /// <summary>A volume's id, shortened when it is a UUID.</summary>
    public static string ShortVolumeId(string id) => Guid.TryParseExact(id, "D", out _) ? id[..ShortLength] : id;

    public static string Type(Backup backup) => backup.IsIncremental ? "incremental" : "full";

    /// <summary>The name that the API and the JSON form have for it.</summary>
    public static string Status(BackupStatus status) => status switch
    {
        BackupStatus.ErrorDeleting => "error_deleting",
        _ => status.ToString().ToLowerInvariant(),
    };

    /// <summary>Local time, to the second.</summary>
    public static string Time(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Local time, to the minute.</summary>
    public static string Minute(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    /// <summary>What a person wrote, without what would drive the terminal of another who reads it.</summary>
    public static string Printable(string text) =>
        text.Any(char.IsControl) ? string.Create(text.Length, text, (safe, from) =>
        {
            for (int i = 0; i < safe.Length; i++)
                safe[i] = char.IsControl(from[i]) ? '?' : from[i];
        }) : text;
}
