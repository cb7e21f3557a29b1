using System.Diagnostics;
using System.Globalization;

namespace BackupEngine.Catalog;

/// <summary>
/// A process, so that others can find out whether it is gone. That can be known for certain only in the same running system and process
/// namespace, by its id and start time; of all others nothing is assumed.
/// </summary>
/// <param name="Host">Name of the machine, for people.</param>
/// <param name="System">The running system and its process namespace; empty where the system does not say.</param>
/// <param name="ProcessId">The process.</param>
/// <param name="ProcessStart">When it was started, as the system counts: a later process may have the same id.</param>
internal sealed record ProcessIdentity(string Host, string System, int ProcessId, string ProcessStart)
{
    private const int StartTimeField = 19;

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = new(
        Environment.MachineName, ReadSystem(), Environment.ProcessId, ReadStart(Environment.ProcessId) ?? "");

    /// <summary>Whether it is known that the process does not write this backup any more.</summary>
    /// <param name="backupId">The backup.</param>
    public bool IsDead(Guid backupId)
    {
        if (System.Length == 0 || System != Current.System)
            return false;
        if (this == Current)
            return !LocalWriters.IsWriting(backupId);

        // Where processes of others are hidden, its file is missing and yet it runs.
        string? start = ReadStart(ProcessId);
        return start is null ? !IsRunning(ProcessId) : start != ProcessStart;
    }

    private static string ReadSystem()
    {
        if (!OperatingSystem.IsLinux())
            return "";
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            string? space = new FileInfo("/proc/self/ns/pid").LinkTarget;
            return space is null ? "" : $"{boot} {space}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <returns>Null when that cannot be seen; empty when the process has ended and only waits for its parent to notice.</returns>
    private static string? ReadStart(int processId)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            string status = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));

            // The program's name stands in parentheses and may hold anything, so fields are counted from behind it.
            string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
            return fields is ["Z" or "X", ..] ? "" : fields.ElementAtOrDefault(StartTimeField);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsRunning(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
