using System.Text.RegularExpressions;

namespace BackupEngine.Volumes;

/// <summary>The mounts and swap areas that this process can see.</summary>
internal static partial class LinuxMounts
{
    /// <summary>One mount.</summary>
    /// <param name="Device">MAJOR:MINOR of the mounted device; of btrfs, a number that no device has.</param>
    /// <param name="Source">What was mounted, such as <c>/dev/sda1</c>.</param>
    /// <param name="Path">Where.</param>
    /// <param name="IsWritable">Whether the file system, not only this mount of it, is writable.</param>
    internal readonly record struct Mount(string Device, string Source, string Path, bool IsWritable);

    /// <summary>Reads all mounts (proc_pid_mountinfo(5)).</summary>
    public static List<Mount> Read()
    {
        List<Mount> mounts = [];
        foreach (string line in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (fields.Length > 6 && separator > 0 && fields.Length > separator + 3)
                mounts.Add(new Mount(fields[2], Decode(fields[separator + 2]), Decode(fields[4]), fields[separator + 3].Split(',').Contains("rw")));
        }

        return mounts;
    }

    /// <summary>Reads the paths of all swap areas.</summary>
    public static List<string> ReadSwaps() => File.Exists("/proc/swaps")
        ? [.. File.ReadLines("/proc/swaps").Skip(1).Select(line => Decode(line.Split(' ', '\t')[0]))]
        : [];

    private static string Decode(string text) => Escape().Replace(text, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString());

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Escape();
}
