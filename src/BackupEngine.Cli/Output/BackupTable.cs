using BackupEngine.Catalog;
using Spectre.Console;

namespace BackupEngine.Cli.Output;

/// <summary>A table of backups for people, one line each.</summary>
internal static class BackupTable
{
    // Below this many columns there is no room for whole UUIDs of volumes.
    private const int WideTerminal = 140;

    public static void Print(IReadOnlyList<Backup> backups)
    {
        IAnsiConsole console = Terminal.Output;
        bool wide = console.Profile.Width >= WideTerminal;
        Table table = new() { Border = Terminal.IsInteractive ? TableBorder.Simple : TableBorder.None };
        foreach (string heading in (string[])["ID", "NAME", "VOLUME", "STATUS", "TYPE", "SIZE", "STORED", "CREATED", "PARENT"])
            table.AddColumn(new TableColumn(new Text(heading)) { NoWrap = heading != "NAME", Alignment = heading is "SIZE" or "STORED" ? Justify.Right : Justify.Left });

        foreach (Backup backup in backups)
        {
            table.AddRow(
                new Text(BackupText.ShortId(backup.Id)),
                new Text(backup.Name ?? "-"),
                new Text(wide ? backup.VolumeId : BackupText.ShortVolumeId(backup.VolumeId)),
                new Text(BackupText.Status(backup.Status)),
                new Text(BackupText.Type(backup)),
                new Text(ByteText.Of(backup.SizeBytes)),
                new Text(ByteText.Of(backup.BytesStored)),
                new Text(BackupText.Time(backup.CreatedAt)),
                new Text(backup.ParentId is { } parent ? BackupText.ShortId(parent) : "-"));
        }

        console.Write(table);
    }
}
