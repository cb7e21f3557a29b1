using BackupEngine.Catalog;

namespace BackupEngine.Cli.Output;

/// <summary>A table of backups for people, one line each, however narrow the terminal: names are cut before lines are folded.</summary>
internal static class BackupTable
{
    private const string Name = "NAME";
    private const string Volume = "VOLUME";
    private const int MinNameWidth = 8;

    // Below these many columns there is no room for whole UUIDs of volumes, and then not for long words and seconds.
    private const int WideTerminal = 140;
    private const int NarrowTerminal = 110;

    public static void Print(IReadOnlyList<Backup> backups)
    {
        int width = Terminal.Width;
        bool narrow = width < NarrowTerminal;
        string gap = narrow ? " " : "  ";
        List<Column> columns = [.. Columns(backups, wide: width >= WideTerminal, narrow)];
        Column name = columns.Single(column => column.Heading == Name);
        if (Overhang(columns, gap, width) > name.Width - MinNameWidth)
            columns.RemoveAll(column => column.Heading == Volume);
        columns[columns.IndexOf(name)] = name.CutTo(Math.Max(MinNameWidth, name.Width - Math.Max(Overhang(columns, gap, width), 0)));

        Console.Out.WriteLine(Line(columns, gap, column => column.Heading));
        for (int row = 0; row < backups.Count; row++)
            Console.Out.WriteLine(Line(columns, gap, column => column.Cells[row]));
    }

    private static IEnumerable<Column> Columns(IReadOnlyList<Backup> backups, bool wide, bool narrow)
    {
        yield return Column.Of("ID", backups, backup => BackupText.ShortId(backup.Id));
        yield return Column.Of(Name, backups, backup => BackupText.Printable(backup.Name ?? "-"));
        yield return Column.Of(Volume, backups, backup => wide ? backup.VolumeId : BackupText.ShortVolumeId(backup.VolumeId));
        yield return Column.Of("STATUS", backups, backup => BackupText.Status(backup.Status) + (backup.IsConsistent == false ? " (inconsistent)" : ""));
        yield return Column.Of("TYPE", backups, backup => narrow && backup.IsIncremental ? "incr" : BackupText.Type(backup));
        yield return Column.Of("SIZE", backups, backup => ByteText.Of(backup.SizeBytes), isNumber: true);
        yield return Column.Of("STORED", backups, backup => ByteText.Of(backup.BytesStored), isNumber: true);
        yield return Column.Of("CREATED", backups, backup => (narrow ? BackupText.Minute(backup.CreatedAt) : BackupText.Time(backup.CreatedAt)) + (backup.HasFutureTimestamp ? "!" : ""));
        yield return Column.Of("PARENT", backups, backup => backup.ParentId is { } parent ? BackupText.ShortId(parent) : "-");
    }

    /// <summary>Characters by which the columns, with a gap between them, are too wide.</summary>
    private static int Overhang(List<Column> columns, string gap, int width) => columns.Sum(column => column.Width + gap.Length) - gap.Length - width;

    private static string Line(List<Column> columns, string gap, Func<Column, string> cell) =>
        string.Join(gap, columns.Select(column => column.IsNumber ? cell(column).PadLeft(column.Width) : cell(column).PadRight(column.Width))).TrimEnd();

    private sealed record Column(string Heading, bool IsNumber, IReadOnlyList<string> Cells)
    {
        public int Width { get; } = Math.Max(Heading.Length, Cells.Max(cell => cell.Length));

        public static Column Of(string heading, IReadOnlyList<Backup> backups, Func<Backup, string> cell, bool isNumber = false) =>
            new(heading, isNumber, [.. backups.Select(cell)]);

        public Column CutTo(int width) => new(Heading, IsNumber, [.. Cells.Select(cell => cell.Length <= width ? cell : cell[..(width - 1)] + "…")]);
    }
}
